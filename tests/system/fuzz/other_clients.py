"""The same requests by curl and httpx, which put some of them right and refuse to send others."""

import email.message
import io
import subprocess
import time
from http.client import parse_headers

import h11
import httpx

from tests.support.raw_http import Framing, RawAnswer, RawRequest

_OF_CLIENTS = {Framing.LENGTH, Framing.CHUNKED, Framing.NONE}
_CURL_TIMED_OUT = 28
_CURL_GOT_NOTHING = {52, 55, 56}
_CONTINUE = b"HTTP/1.1 1"


class NotSendable(Exception):
    """This client cannot send the request."""


def by_curl(address: tuple[str, int], request: RawRequest, seconds: float) -> RawAnswer:
    """Send a request by curl and read what it prints.

    Raises:
        NotSendable: curl cannot send it.
    """
    _check(request)
    command = [
        *("curl", "-s", "-i", "-g", "--http1.1", "--noproxy", "*", "--max-time", f"{seconds:g}"),
        *(["-I"] if request.method == b"HEAD" else ["-X", request.method]),
        *("-H", "Expect:", "--request-target", request.target),
    ]
    for name, value in request.headers:
        command += ["-H", name + b": " + value if value else name + b";"]
    if request.framing is Framing.CHUNKED:
        command += ["-H", "Transfer-Encoding: chunked"]
    if request.method != b"HEAD":
        command += ["--data-binary", "@-"]
    begin = time.monotonic()
    try:
        ended = subprocess.run(
            [*command, f"http://{address[0]}:{address[1]}/"],
            input=request.body, capture_output=True, check=False,
        )  # fmt: skip
    except ValueError as error:  # a NUL byte
        raise NotSendable(str(error)) from error
    return _read(ended, time.monotonic() - begin)


def _read(ended: "subprocess.CompletedProcess[bytes]", seconds: float) -> RawAnswer:
    if ended.stdout:
        printed = io.BytesIO(ended.stdout)
        status, headers = _head(printed)
        while 100 <= status < 200:
            status, headers = _head(printed)
        kind = headers.get_content_type()
        return RawAnswer(status, kind, printed.read(), seconds, head=str(headers))
    timed_out = ended.returncode == _CURL_TIMED_OUT
    if timed_out or ended.returncode in _CURL_GOT_NOTHING:
        return RawAnswer(0, "", b"", seconds, timed_out=timed_out)
    raise NotSendable(f"curl ended with {ended.returncode}")


def _head(printed: io.BytesIO) -> tuple[int, email.message.Message]:
    return int(printed.readline().split()[1]), parse_headers(printed)


def by_httpx(address: tuple[str, int], request: RawRequest, seconds: float) -> RawAnswer:
    """Send a request by httpx, on a connection of its own.

    Raises:
        NotSendable: httpx refuses to send it.
    """
    _check(request)
    if not request.method.isupper():
        raise NotSendable("httpx writes methods in capital letters")
    chunked = request.framing is Framing.CHUNKED
    begin = time.monotonic()
    asked = httpx.Request(
        request.method.decode(),
        f"http://{address[0]}:{address[1]}/",
        headers=list(request.headers),
        content=iter([request.body]) if chunked else request.body,
        extensions={"target": request.target},
    )
    try:
        with httpx.Client(timeout=seconds, trust_env=False) as client:
            answer = client.send(asked)
    except (httpx.LocalProtocolError, h11.LocalProtocolError, httpx.DecodingError) as error:
        raise NotSendable(str(error)) from error
    except httpx.TransportError as error:
        timed_out = isinstance(error, httpx.TimeoutException)
        return RawAnswer(0, "", b"", time.monotonic() - begin, timed_out=timed_out)
    seconds = time.monotonic() - begin
    kind = answer.headers.get("content-type", "text/plain").partition(";")[0]
    return RawAnswer(answer.status_code, kind, answer.content, seconds, head=str(answer.headers))


def _check(request: RawRequest) -> None:
    if request.framing not in _OF_CLIENTS:
        raise NotSendable(f"no client sends {request.framing.value}")
