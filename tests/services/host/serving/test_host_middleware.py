"""What is checked before every request: who may call, and how large and slow a body may be."""

import asyncio
import http.client
import json
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import Body, FastAPI
from starlette.types import Message

from storycanvas.faces.errors import OperationTimedOut, PictureTooLarge
from storycanvas.host.api.errors import install_error_answers
from storycanvas.host.api.middleware import MAX_JSON_BYTES, BodyLimits
from tests.support.host.gated_engine import GatedEngine
from tests.support.host.pictures import encoded
from tests.support.host.threaded_host import ThreadedHost, code

TOKEN = "not-a-real-secret-ü"  # noqa: S105 - made up
PATHS = [
    ("POST", "adjust-face"),
    ("POST", "assets"),
    ("GET", "assets/x"),
    ("HEAD", "assets/x"),
    ("GET", "nothing-here"),
    ("GET", "../../openapi.json"),
]


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ThreadedHost]:
    with ThreadedHost(GatedEngine(), tmp_path_factory.mktemp("guarded"), token=TOKEN) as host:
        yield host


def bearer(token: str) -> dict[bytes, bytes]:
    return {b"Authorization": b"Bearer " + token.encode()}


def test_everything_but_status_needs_the_token(guarded: ThreadedHost) -> None:
    answers = [guarded.client.request(method, path) for method, path in PATHS]
    assert [answer.status_code for answer in answers] == [401] * len(PATHS)
    assert guarded.client.get("status").status_code == 200


@pytest.mark.parametrize(
    "authorization",
    [
        b"", b"Bearer", b"Bearer wrong", f"Bearer {TOKEN}x".encode(), f"Basic {TOKEN}".encode(),
        TOKEN.encode(), b"Bearer \xff\xfe",
    ],
)  # fmt: skip
def test_another_token_is_refused(guarded: ThreadedHost, authorization: bytes) -> None:
    answer = guarded.client.post("assets", headers={b"Authorization": authorization})
    assert code(answer) == (401, "unauthorized")
    assert answer.headers["www-authenticate"] == "Bearer"
    assert TOKEN not in answer.text


def test_the_token_lets_in(guarded: ThreadedHost) -> None:
    answer = guarded.client.post("assets", content=encoded(), headers=bearer(TOKEN))
    assert answer.status_code == 200


def test_the_token_lets_in_under_any_name_of_the_host(guarded: ThreadedHost) -> None:
    headers = bearer(TOKEN) | {b"Host": b"gpu.lan"}
    assert guarded.client.post("assets", content=encoded(), headers=headers).status_code == 200


def test_a_client_that_sends_all_before_it_reads_is_answered(guarded: ThreadedHost) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", guarded.port, timeout=30)
    connection.request("POST", "/api/v1/assets", bytes(8_000_000))
    assert connection.getresponse().status == 401
    connection.close()


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "localhost:9002"}, 200),
        ({"Host": "[::1]:9002"}, 200),
        ({"Host": "evil.example"}, 401),
        ({"Host": "127.0.0.1.evil.example"}, 401),
        ({"Origin": "https://evil.example"}, 401),
        ({"Origin": "null"}, 401),
        ({"Origin": "http://[::"}, 401),
        ({"Origin": "http://localhost:3000"}, 200),
    ],
)
def test_without_token_a_web_page_elsewhere_is_kept_out(
    host: ThreadedHost, headers: dict[str, str], status: int
) -> None:
    answer = host.client.post("assets", content=encoded(), headers=headers)
    assert answer.status_code == status


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
