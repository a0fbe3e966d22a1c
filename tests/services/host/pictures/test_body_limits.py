import asyncio
import json
from typing import Any

import pytest
from fastapi import Body, FastAPI
from starlette.types import Message

from storycanvas.faces.errors import OperationTimedOut, PictureTooLarge
from storycanvas.host.api.errors import install_error_answers
from storycanvas.host.api.middleware import MAX_JSON_BYTES, BodyLimits

HALF: Message = {"type": "http.request", "body": b'{"x":', "more_body": True}
REST: Message = {"type": "http.request", "body": b" 1}", "more_body": False}
MUCH: Message = {"type": "http.request", "body": bytes(MAX_JSON_BYTES), "more_body": True}
GONE: Message = {"type": "http.disconnect"}


def application() -> FastAPI:
    app = FastAPI()
    install_error_answers(app)

    @app.post("/")
    async def echo(body: dict[str, int] = Body()) -> dict[str, int]:  # noqa: B008, FAST002 - local
        return body

    return app


def answered(
    messages: list[Message], length: str | None = None, *, seconds: float = 10.0
) -> tuple[int, Any]:
    """Status and body for a request whose body comes so, and then nothing more."""
    came = iter(messages)
    sent: list[Message] = []

    async def receive() -> Message:
        for message in came:
            return message
        return await asyncio.Event().wait() and GONE

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [(b"content-type", b"application/json")]
    headers += [(b"content-length", length.encode())] if length else []
    scope = {
        "type": "http", "method": "POST", "path": "/", "query_string": b"", "headers": headers,
    }  # fmt: skip
    asyncio.run(BodyLimits(application(), seconds)(scope, receive, send))
    return sent[0]["status"], json.loads(sent[1]["body"])


def test_a_whole_body_is_passed_on() -> None:
    assert answered([HALF, REST]) == (200, {"x": 1})


def test_a_body_that_stalls_is_given_up() -> None:
    status, answer = answered([HALF], seconds=0.05)
    assert (status, answer["error"]["code"]) == (504, OperationTimedOut.code)
    assert answer["error"]["retryable"] is True


@pytest.mark.parametrize(
    ("messages", "length"),
    [
        ([MUCH, MUCH], None),
        ([MUCH, MUCH], "8"),
        ([], str(MAX_JSON_BYTES + 1)),
        ([], "9" * 19),
        ([], "9" * 5000),
    ],
    ids=["undeclared", "lied about", "declared", "huge", "beyond what Python reads"],
)
def test_a_body_that_is_too_large_is_refused(messages: list[Message], length: str | None) -> None:
    status, answer = answered(messages, length)
    assert (status, answer["error"]["code"]) == (413, PictureTooLarge.code)


def test_a_body_that_breaks_off_is_refused() -> None:
    status, answer = answered([HALF, GONE])
    assert (status, answer["error"]["code"]) == (400, "bad_field")
