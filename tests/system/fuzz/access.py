"""Who may call a host under attack: what requests show, and what must not be answered."""

import base64
import sys
from dataclasses import dataclass, field
from pathlib import Path

from storycanvas.faces.contract import API
from storycanvas.host.page.routes import PAGE_PATHS, PASS_PATH
from tests.support.paths import ROOT
from tests.support.raw_http import RawAnswer, RawRequest

OPEN = f"{API}/status"
_REFUSED = 401
_LEFT_OUT = {0, 400, _REFUSED}
"""What a caller without a token may get: 400 where the end of the body cannot be known."""


def basic(password: str) -> bytes:
    """Make the value of `Authorization` that a browser sends."""
    return b"Basic " + base64.b64encode(f"operator:{password}".encode())


@dataclass(frozen=True)
class Access:
    """The token of a host, and a pass of its page; both are empty where it has none.

    Attributes:
        token: Opens everything as a bearer, the page as a password.
        page_pass: Opens everything as a bearer.
        folder: Where the host keeps its files.
    """

    token: str = ""
    page_pass: str = ""
    folder: Path = field(default=ROOT / "nowhere")

    def usual(self) -> tuple[tuple[bytes, bytes], ...]:
        """Headers of a caller who may call."""
        return ((b"Authorization", b"Bearer " + self.token.encode()),) if self.token else ()

    def others(self) -> list[tuple[tuple[bytes, bytes], ...]]:
        """Headers that open less or nothing, or everything for a while."""
        values = [
            basic(self.token), basic(self.page_pass), b"Bearer " + self.page_pass.encode(),
            b"Bearer " + self.token.encode()[:-1], b"Basic " + self.token.encode(), b"Basic \xff",
        ]  # fmt: skip
        return [(), *(((b"Authorization", value),) for value in values)] if self.token else [()]

    def faults(self, request: RawRequest, answer: RawAnswer) -> list[str]:
        """List what an answer gave away, and whether it let in a caller that it must not."""
        found = self.told(answer.head.encode("latin-1", "replace") + answer.body)
        opened = self._opened(request)
        if answer.status not in _LEFT_OUT and not any(opened):
            found.append("let in a caller without a token")
        if answer.status == _REFUSED and all(opened) and opened and not self._may_end(request):
            found.append("refused a caller with the token")
        return found

    def _may_end(self, request: RawRequest) -> bool:
        """Tell whether a pass plays a part: it ends, and its path refuses other sites."""
        shown = any(value == b"Bearer " + self.page_pass.encode() for _, value in request.headers)
        return not self.token or shown or request.target.startswith(PASS_PATH.encode())

    def told(self, text: bytes) -> list[str]:
        """List the secrets that stand in an answer."""
        secrets = {"token": self.token, "pass": self.page_pass, "folder": str(self.folder),
                   "folder of Python": sys.prefix}  # fmt: skip
        return [
            f"told the {name}"
            for name, value in secrets.items()
            if value and value.encode() in text
        ]

    def told_in_log(self, log: str) -> bool:
        """Tell whether a log has the token or the pass; it may have folders."""
        return any(secret and secret in log for secret in (self.token, self.page_pass))

    def _opened(self, request: RawRequest) -> list[bool]:
        """Tell for each `Authorization` of a request whether it opens the path."""
        path = request.target.decode("latin-1").partition("?")[0].partition("#")[0]
        if not self.token or path == OPEN:
            return [True]
        opening = {b"Bearer " + word.encode() for word in (self.token, self.page_pass)}
        if path in PAGE_PATHS:
            opening.add(basic(self.token))
        return [
            value in opening for name, value in request.headers if name.lower() == b"authorization"
        ]
