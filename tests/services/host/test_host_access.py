import http.client
from collections.abc import Iterator

import pytest

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
        b"",
        b"Bearer",
        b"Bearer wrong",
        f"Bearer {TOKEN}x".encode(),
        f"Basic {TOKEN}".encode(),
        TOKEN.encode(),
        b"Bearer \xff\xfe",
    ],
)
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


def test_a_client_that_sends_all_before_it_reads_still_gets_its_answer(
    guarded: ThreadedHost,
) -> None:
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
