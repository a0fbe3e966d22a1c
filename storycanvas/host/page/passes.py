"""How the operator's page shows a token: HTTP Basic, and passes that end by themselves."""

import base64
import binascii
import hashlib
import hmac
import secrets
import time
from collections.abc import Callable

from starlette.datastructures import Headers

from storycanvas.host.tokens import Caller, Tokens

BASIC = 'Basic realm="StoryCanvas face host", charset="UTF-8"'
PASS_SECONDS = 600
_DIGITS = 15


def credentials(headers: Headers) -> tuple[str, bytes]:
    """Read the header `Authorization`: its scheme in lower case, and the token that it shows.

    Of Basic that is the password, whatever the user name.
    """
    scheme, _, value = headers.get("authorization", "").partition(" ")
    given = value.strip().encode("latin-1", "replace")
    if scheme.lower() != "basic":
        return scheme.lower(), given
    try:
        return "basic", base64.b64decode(given, validate=True).partition(b":")[2]
    except binascii.Error:
        return "basic", b""


class PagePasses:
    """Makes and knows the passes with which the page's script calls the API as a bearer.

    No browser sends a pass by itself, so another site cannot use it, as it could use Basic. A pass
    is made of a token and stands for it, name and limit included. It ends with the token, with this
    process, and after `PASS_SECONDS`. Nothing is kept of it.
    """

    def __init__(self, tokens: Tokens, clock: Callable[[], float] = time.monotonic) -> None:
        self._tokens = tokens
        self._clock = clock
        self._secret = secrets.token_bytes(32)

    @property
    def needed(self) -> bool:
        """Whether a caller has to show anything."""
        return self._tokens.needed

    def issue(self, token: bytes) -> str | None:
        """Make a pass for whom the token belongs to; None if it is unknown, or a pass itself."""
        if self._tokens.caller(token) is None:
            return None
        return self._made(token, b"%d" % (self._clock() + PASS_SECONDS)).decode()

    def caller(self, given: bytes) -> Caller | None:
        """Return who a pass stands for; None if it is none, or not any more."""
        until = given.partition(b".")[0]
        if not until.isdigit() or len(until) > _DIGITS or int(until) < self._clock():
            return None
        return self._tokens.owner_of(
            lambda token: hmac.compare_digest(given, self._made(token, until))
        )

    def _made(self, token: bytes, until: bytes) -> bytes:
        mac = hmac.new(self._secret, until + b"\n" + token, hashlib.sha256).hexdigest()
        return until + b"." + mac.encode()
