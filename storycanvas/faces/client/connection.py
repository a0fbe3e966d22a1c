"""One pool of connections to a face host, and the way each call goes over it."""

import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import httpx

from storycanvas.faces.client.calls import Call, Reply, read_body
from storycanvas.faces.client.errors import refusal
from storycanvas.faces.client.timeouts import Timeouts
from storycanvas.faces.contract import API
from storycanvas.faces.errors import HostUnreachable, TokenRefused
from storycanvas.net.redact import redact_url
from storycanvas.net.retry import RetryPolicy

T = TypeVar("T")

KEEP_ALIVE_SECONDS = 20.0
"""How long an idle connection is kept: less than the 30 s after which a host closes its end, so
that a call rarely meets a connection which is just going away."""
_LIMITS = httpx.Limits(
    max_connections=100, max_keepalive_connections=100, keepalive_expiry=KEEP_ALIVE_SECONDS
)


class HostConnection:
    """A pool of connections to one host; usable from several threads.

    Redirects are not followed: the host has none, and a token must not follow one elsewhere.
    Proxies of the environment are not used (`trust_env`): they are made for the internet, a proxy's
    loopback is another machine than ours, and neither token nor faces are its business. Name a
    reverse proxy by its address instead. Certificates are those that the system trusts.

    Args:
        url: The host's address without the API path.
        token: The host's token.
        timeouts: Longest waits.
        retries: What happens after a failure that may pass.

    Attributes:
        name: What messages call the host: its address without what may be a secret.

    Raises:
        TokenRefused: The token holds characters that no header can carry.
    """

    def __init__(
        self, url: str, token: str | None, *, timeouts: Timeouts, retries: RetryPolicy
    ) -> None:
        self.name = redact_url(url)
        self._timeouts = timeouts
        self._retries = retries
        self._http = httpx.Client(
            base_url=f"{url}{API}/",
            # A compressed picture would not have the hash that its name holds.
            headers={"Accept-Encoding": "identity", **_authorization(token)},
            limits=_LIMITS,
            verify=ssl.create_default_context(),
            trust_env=False,
            follow_redirects=False,
        )

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def exchange(self, call: Call, understand: Callable[[Reply], T]) -> T:
        """Make a call and read its reply; repeat both after an error that is retryable.

        Repeating is safe: an operation has its key, and a picture is stored by its content.

        Args:
            call: What to send.
            understand: Parses the reply; exceptions it raises are retried like transport errors.

        Raises:
            FaceError: The newest failure.
        """
        return self._retries.call(
            lambda seconds: understand(self._once(call, seconds)), call.seconds
        )

    def _once(self, call: Call, seconds: float) -> Reply:
        waits = self._timeouts
        request = self._http.build_request(
            call.method,
            call.path,
            content=call.content(),
            headers=dict(call.headers),
            timeout=httpx.Timeout(
                connect=waits.connect, read=seconds, write=waits.write, pool=waits.pool
            ),
        )
        with self._reaching():
            response = self._http.send(request, stream=True)
            try:
                body = read_body(response, call, waits.transfer, self.name)
            finally:
                response.close()
        if response.status_code not in call.expected:
            raise refusal(response.status_code, response.headers, body, self.name)
        return Reply(response.status_code, body)

    @contextmanager
    def _reaching(self) -> Iterator[None]:
        """Name what went wrong on the way by its kind only: its text may quote what was sent."""
        try:
            yield
        except httpx.TimeoutException as error:
            raise HostUnreachable(
                f"The face host {self.name} did not answer in time ({type(error).__name__})."
            ) from error
        except httpx.HTTPError as error:
            raise HostUnreachable(
                f"The face host {self.name} cannot be reached ({type(error).__name__}); "
                "start it or correct FACEFUSION_URL."
            ) from error


def _authorization(token: str | None) -> dict[str, str]:
    if not token:
        return {}
    if not token.isascii() or not token.isprintable():
        raise TokenRefused(
            "The face host's token holds characters that cannot be sent; correct FACEFUSION_TOKEN "
            "or the block."
        )
    return {"Authorization": f"Bearer {token}"}
