"""Who may talk to the host.

With a token: every client that sends it. Without a token the host listens on loopback
only, and still a web page could make the user's own browser call it, so such calls are turned away.
"""

import hmac
from urllib.parse import urlsplit

from pydantic import SecretStr
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from storycanvas.faces.contract import API
from storycanvas.faces.errors import TokenRefused
from storycanvas.host.api.errors import face_error_response
from storycanvas.host.settings import is_loopback

OPEN_PATHS = {f"{API}/status"}


class Gate:
    """ASGI middleware that refuses all other requests; `OPEN_PATHS` are open to all."""

    def __init__(self, app: ASGIApp, token: SecretStr | None) -> None:
        self._app = app
        self._token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it with 401."""
        if scope["type"] != "http" or scope["path"] in OPEN_PATHS or self._admits(scope):
            await self._app(scope, receive, send)
            return
        await face_error_response(TokenRefused(self._reason()))(scope, receive, send)

    def _admits(self, scope: Scope) -> bool:
        headers = Headers(scope=scope)
        if self._token is None:
            return _is_local(f"//{headers.get('host', '')}") and (
                "origin" not in headers or _is_local(headers["origin"])
            )
        scheme, _, given = headers.get("authorization", "").partition(" ")
        token = self._token.get_secret_value().encode()
        same = hmac.compare_digest(given.strip().encode("latin-1", "replace"), token)
        return same and scheme.lower() == "bearer"

    def _reason(self) -> str:
        if self._token is None:
            return "This host has no token, so it serves callers on its own machine only."
        return "Send this host's token in the header Authorization: Bearer <token>."


def _is_local(address: str) -> bool:
    try:
        return is_loopback(urlsplit(address).hostname or "")
    except ValueError:
        return False
