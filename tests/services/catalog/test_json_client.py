"""Every way in which an answer can fail, as one of the catalog's errors and without a secret."""

import gzip
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from storycanvas.catalog.errors import (
    AnswerUnreadable,
    CatalogBusy,
    CatalogError,
    CatalogRefused,
    CatalogUnreachable,
    NotThere,
)
from storycanvas.catalog.json_client import JsonClient
from tests.support.catalog.comfyui_server import Answer, ComfyuiServer

KEY = "s3cr3t"
MEBIBYTE = 2**20

PACKED = {"Content-Encoding": "gzip"}

FAILURES: dict[str, tuple[Answer, type[CatalogError]]] = {
    "HTML": (Answer(b"<html></html>"), AnswerUnreadable),
    "nothing": (Answer(b""), AnswerUnreadable),
    "truncated JSON": (Answer(b'{"a": [1, 2'), AnswerUnreadable),
    "no UTF-8": (Answer(b'"\xff\xfe"'), AnswerUnreadable),
    "nested without end": (Answer(b"[" * 50_000), AnswerUnreadable),
    "too long": (Answer(b'"' + b"x" * 100_000 + b'"'), AnswerUnreadable),
    "badly packed": (Answer(b"x", headers=PACKED), AnswerUnreadable),
    "packed and cut off": (Answer(gzip.compress(b"[1]")[:-4], headers=PACKED), AnswerUnreadable),
    "packed in an unknown way": (
        Answer(b"\x0b\x01\x80[1]\x03", headers={"Content-Encoding": "br"}),
        AnswerUnreadable,
    ),
    "a redirect": (Answer(status=302, headers={"Location": "/fine"}), AnswerUnreadable),
    "cut off": (Answer(b"[1]", headers={"Content-Length": "99"}), CatalogUnreachable),
    "silence": (Answer(is_held_back=True), CatalogUnreachable),
    "not there": (Answer(status=404), NotThere),
    "no key": (Answer(status=401), CatalogRefused),
    "a wrong request": (Answer(status=400), CatalogRefused),
    "too many requests": (Answer(status=429), CatalogBusy),
    "an error": (Answer(status=500), CatalogBusy),
    "overload": (Answer(status=503), CatalogBusy),
}

VALUES: dict[str, tuple[bytes, object]] = {
    "a byte order mark": (b"\xef\xbb\xbf[1]", [1]),
    "NaN and infinities": (b"[NaN, Infinity, -Infinity, 1e999]", [None] * 4),
    "beyond 64 bits": (b"18446744073709551615", 2**64 - 1),
    "more digits than Python reads": (b"9" * 5000, "9" * 5000),
    "half a letter": (rb'"a\ud800b"', "a\ufffdb"),
    "a letter in two halves": (rb'"\ud83d\ude00"', "😀"),
    "an escaped escape": (rb'"\\ud800"', r"\ud800"),
}


@contextmanager
def asked(answer: object, **options: Any) -> Iterator[tuple[JsonClient, ComfyuiServer]]:
    """A client of a server with an answer at `/asked`."""
    with ComfyuiServer({"/asked": answer, "/fine": 1}) as server:
        url = server.url.replace("://", f"://{options.pop('user', '')}")
        with JsonClient(url, **options) as client:
            yield client, server


@pytest.mark.parametrize(("answer", "expected"), FAILURES.values(), ids=FAILURES)
def test_each_kind_of_failure_has_its_own_error(
    answer: Answer, expected: type[CatalogError]
) -> None:
    with asked(answer, timeout_seconds=0.3, max_bytes=90_000) as (client, server):
        with pytest.raises(CatalogError) as raised:
            client.get("/asked")

        assert type(raised.value) is expected
        assert "/fine" not in server.paths


@pytest.mark.parametrize(("body", "value"), VALUES.values(), ids=VALUES)
def test_a_value_that_would_break_a_later_step_is_repaired(body: bytes, value: object) -> None:
    with asked(Answer(body)) as (client, _):
        assert client.get("/asked") == value


@pytest.mark.parametrize("answer", [case[0] for case in FAILURES.values()], ids=FAILURES)
def test_no_message_contains_a_secret(answer: Answer) -> None:
    with ComfyuiServer({"/asked": answer}) as server:
        url = server.url.replace("://", f"://user:{KEY}@") + f"?token={KEY}"
        headers = {"X-Key": KEY}
        with (
            JsonClient(url, headers=headers, timeout_seconds=0.3, max_bytes=90_000) as client,
            pytest.raises(CatalogError) as raised,
        ):
            client.get(f"/asked?key={KEY}", {"key": KEY})

    assert KEY not in str(raised.value)


PAGE = {"Content-Type": "text/html; charset=UTF-8"}
SENTENCES: dict[str, tuple[Answer, str]] = {
    "a key": (Answer(status=403), "(403). Check the key, if it has one."),
    "no key": (Answer(b"{}", 401, {"Content-Type": "application/json"}), "Check the key"),
    "a proxy's page": (Answer(b"<html>Just a moment", 403, PAGE), "a proxy or firewall before it"),
    "a proxy with users": (Answer(b"<html>", 407, PAGE), "HTTP_PROXY and HTTPS_PROXY"),
    "a wrong request": (Answer(status=400), "(400). Check the address, and the filters"),
    "moved": (
        Answer(status=301, headers={"Location": f"https://u:{KEY}@box.example/a?token={KEY}#b"}),
        "answered 301 and leads to https://box.example/a; write that address instead.",
    ),
    "moved on the same server": (
        Answer(status=308, headers={"Location": "/login?next=/asked"}),
        "/login; write that address instead.",
    ),
    "moved nowhere": (Answer(status=302, headers={"Location": "http://a:b/"}), "gave no answer"),
    "not changed": (Answer(status=304), "answered 304 instead of JSON"),
}


@pytest.mark.parametrize(("answer", "sentence"), SENTENCES.values(), ids=SENTENCES)
def test_a_refusal_says_what_is_at_fault(answer: Answer, sentence: str) -> None:
    with asked(answer) as (client, _):
        with pytest.raises(CatalogError) as raised:
            client.get("/asked")

        assert sentence in str(raised.value)
        assert KEY not in str(raised.value)
        assert ("Check the key" in str(raised.value)) is ("Check the key" in sentence)


def test_a_server_that_is_not_there_is_unreachable() -> None:
    with ComfyuiServer({}) as server:
        url = server.url
    with JsonClient(url, timeout_seconds=0.5) as client, pytest.raises(CatalogUnreachable):
        client.get("/asked")


EMPTY_BLOCKS = gzip.compress(b"")[:10] + bytes([0, 0, 0, 255, 255]) * 200_000
ENDLESS = {
    "text": Answer(b'"' + b"x" * 3_000_000 + b'"'),
    "packed emptiness": Answer(EMPTY_BLOCKS, headers=PACKED),
}


@pytest.mark.parametrize("answer", ENDLESS.values(), ids=ENDLESS)
def test_a_body_that_takes_too_long_as_a_whole_is_abandoned(answer: Answer) -> None:
    with (
        asked(answer, whole_seconds=1e-9) as (client, _),
        pytest.raises(CatalogUnreachable, match="did not end its answer"),
    ):
        client.get("/asked")


def test_a_packed_answer_is_read() -> None:
    with asked(Answer(gzip.compress(b"[1]"), headers=PACKED)) as (client, server):
        assert client.get("/asked") == [1]
        assert server.requests[0].headers["Accept-Encoding"] == "gzip"


@pytest.mark.parametrize("layers", [1, 2])
def test_a_short_answer_that_unpacks_to_far_too_much_takes_little_memory(layers: int) -> None:
    body = b" " * 300 * MEBIBYTE
    for _ in range(layers):
        body = gzip.compress(body, 1)
    packed = Answer(body, headers={"Content-Encoding": ", ".join(["gzip"] * layers)})
    del body

    with asked(packed, max_bytes=MEBIBYTE) as (client, _):
        tracemalloc.start()
        with pytest.raises(AnswerUnreadable):
            client.get("/asked")
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()

    assert most < 24 * MEBIBYTE


def test_the_wait_that_a_busy_server_asks_for_is_in_the_error() -> None:
    busy = Answer(status=503, headers={"Retry-After": "7"})
    with asked(busy) as (client, _), pytest.raises(CatalogBusy) as raised:
        client.get("/asked")

    assert raised.value.wait_seconds == 7


def test_a_key_may_come_several_times() -> None:
    with asked(1) as (client, server):
        client.get("/asked", [("type", "VAE"), ("type", "a&b ü"), ("limit", 5)])

        assert server.paths == ["/asked?type=VAE&type=a&b ü&limit=5"]


def test_a_posted_value_arrives() -> None:
    with asked([]) as (client, server):
        client.post("/asked", ["ABC"])

        [request] = server.requests
        assert (request.method, request.body) == ("POST", b'["ABC"]')


@pytest.mark.parametrize(
    ("headers", "sent"),
    [({}, "Basic YTpi"), ({"Authorization": "Bearer own"}, "Bearer own")],
    ids=["the user of the address", "a header has priority"],
)
def test_the_authorization_is_the_header_or_the_user_of_the_address(
    headers: dict[str, str], sent: str
) -> None:
    with asked(1, user="a:b@", headers=headers) as (client, server):
        client.get("/asked")

        assert server.requests[0].headers["Authorization"] == sent


@pytest.mark.parametrize("proxied", [False, True])
def test_a_proxy_of_the_environment_is_used_only_where_it_is_wanted(
    monkeypatch: pytest.MonkeyPatch, proxied: bool
) -> None:
    for name in ("NO_PROXY", "no_proxy", "ALL_PROXY", "all_proxy", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
    with (
        ComfyuiServer({"/asked": "server"}) as server,
        ComfyuiServer({f"{server.url}/asked": "proxy", "/asked": "proxy"}) as proxy,
    ):
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        with JsonClient(server.url, proxied=proxied) as client:
            assert client.get("/asked") == ("proxy" if proxied else "server")


@pytest.mark.parametrize("proxy", ["what://u:s3cr3t@proxy:1", "http://u:s3cr3t@proxy:port"])
def test_a_proxy_that_cannot_be_used_is_refused_without_showing_it(
    monkeypatch: pytest.MonkeyPatch, proxy: str
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy)

    with pytest.raises(CatalogRefused, match="HTTPS_PROXY") as raised:
        JsonClient("https://gpu-box", proxied=True)

    assert KEY not in str(raised.value)


@pytest.mark.parametrize("url", ["", "gpu-box", "ftp://gpu-box", "http://", "http://[::1"])
def test_an_invalid_address_is_refused(url: str) -> None:
    with pytest.raises(CatalogRefused, match="http://host:port"):
        JsonClient(url)


@pytest.mark.parametrize("letter", ["\n", "ü", "\0"], ids=ascii)
def test_a_key_that_no_header_can_carry_is_refused_without_showing_it(letter: str) -> None:
    with pytest.raises(CatalogRefused) as raised:
        JsonClient("http://gpu-box", headers={"Authorization": f"Bearer {KEY}{letter}"})

    assert KEY not in str(raised.value)
