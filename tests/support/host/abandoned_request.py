"""A request whose client is gone before the answer comes."""

import contextlib
import http.client
import json
from collections.abc import Iterator
from typing import Any

from storycanvas.faces.contract import API, IDEMPOTENCY_HEADER


@contextlib.contextmanager
def asked_and_gone(
    url: str, path: str, body: dict[str, Any], key: str | None = None
) -> Iterator[None]:
    """Send a request, and close its connection when the block ends."""
    connection = http.client.HTTPConnection(url.removeprefix("http://"))
    headers = {"Content-Type": "application/json"} | ({IDEMPOTENCY_HEADER: key} if key else {})
    connection.request("POST", f"{API}/{path}", json.dumps(body), headers)
    try:
        yield
    finally:
        connection.close()


@contextlib.contextmanager
def half_an_upload(url: str, picture: bytes) -> Iterator[None]:
    """Send all of a picture but its last byte, and close the connection when the block ends."""
    connection = http.client.HTTPConnection(url.removeprefix("http://"))
    connection.putrequest("POST", f"{API}/assets")
    connection.putheader("Content-Length", str(len(picture)))
    connection.endheaders(picture[:-1])
    try:
        yield
    finally:
        connection.close()
