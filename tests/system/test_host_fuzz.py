"""A bounded number of hostile requests, the same in each run; `make fuzz` sends many more."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from storycanvas.faces.contract import API
from storycanvas.host.api.document import DOCUMENT
from tests.support.host.gated_engine import GatedEngine
from tests.support.host.threaded_host import ThreadedHost
from tests.support.raw_http import Framing, RawAnswer, RawRequest, send
from tests.system.fuzz.hostile_places import Places, make_places, picture
from tests.system.fuzz.hostile_requests import requests
from tests.system.fuzz.strange_server import StrangeServer
from tests.system.fuzz.verdicts import faults

REQUESTS = 1500
PATHS: dict[str, Any] = json.loads(DOCUMENT.read_text(encoding="utf-8"))["paths"]
PLAIN = b"Invalid HTTP request received."
MAX_SECONDS = 30.0


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[StrangeServer]:
    with StrangeServer(picture()) as server:
        yield server


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory, elsewhere: StrangeServer) -> Iterator[Places]:
    with StrangeServer(picture(), elsewhere.address) as server:
        made = make_places(tmp_path_factory.mktemp("fuzz"), server.address, elsewhere.address)
        yield made


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory, places: Places) -> Iterator[ThreadedHost]:
    server = places.slow[0].split("/")[2]
    with ThreadedHost(
        GatedEngine(),
        tmp_path_factory.mktemp("attacked"),
        allow_roots=[places.canary.parent / "allowed"],
        allow_url_hosts=[server],
        download_seconds=0.5,
    ) as host:
        yield host


def is_documented(request: RawRequest, answer: RawAnswer) -> bool:
    """Tell whether the contract's document lists the status, if it knows path and method."""
    path = request.target.decode("latin-1").partition("?")[0]
    if path.count("/") == 4 and path.startswith(f"{API}/assets/"):
        path = f"{API}/assets/{{name}}"
    call = PATHS.get(path, {}).get(request.method.decode().lower())
    known = call is None or not request.method.isupper() or str(answer.status) in call["responses"]
    # A name with a slash in it, encoded, is another path.
    slash = b"%2f" in request.target and answer.status == 404
    return known or slash or answer.status == 0 or answer.body == PLAIN


# Starlette leaves the file of a form that broke off to the garbage collector.
@pytest.mark.filterwarnings("ignore:Exception ignored in. <function SpooledTemporaryFile")
def test_no_request_gets_more_than_the_contract_gives(
    attacked: ThreadedHost, places: Places, elsewhere: StrangeServer
) -> None:
    address = ("127.0.0.1", attacked.port)
    known = places.with_asset(attacked.upload(picture()))
    answered: list[int] = []

    @settings(
        max_examples=REQUESTS,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(requests(known, f"127.0.0.1:{attacked.port}"))
    def attack(request: RawRequest) -> None:
        answer = send(address, request, MAX_SECONDS)
        answered.append(answer.status)
        assert faults(request, answer, known, MAX_SECONDS) == []
        assert is_documented(request, answer)

    known.set_trap()
    attack()
    assert not known.canary_was_read()
    assert next(elsewhere.asked) == 0
    assert len(answered) >= REQUESTS
    assert {200, 400, 404, 405, 413, 415} <= set(answered)
    assert attacked.status()["status"] == "ok"


OUTSIDE = "/outside.png"
PLACES = Places(good=("/good.png",), refused=(OUTSIDE,), useless=(), slow=(), canary=Path())
ASKED = RawRequest(b"POST", b"/", ((b"Host", b"x"),), pictures=(OUTSIDE,))
REFUSED = b'{"error":{"code":"bad_field","message":"No.","retryable":false}}'
BROKEN = b'{"error":{"code":"engine_failed","message":"It failed unexpectedly.","retryable":false}}'


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (RawAnswer(400, "application/json", REFUSED, 0.1), ""),
        (RawAnswer(404, "application/json", REFUSED, 0.1), "looked at"),
        (RawAnswer(200, "application/json", b"{}", 0.1), "looked at"),
        (RawAnswer(400, "text/plain", REFUSED, 0.1), "another form"),
        (RawAnswer(400, "application/json", b"Oh", 0.1), "a body of its own"),
        (RawAnswer(418, "application/json", REFUSED, 0.1), "status 418"),
        (RawAnswer(500, "application/json", REFUSED, 0.1), "unforeseen"),
        (RawAnswer(500, "application/json", BROKEN, 0.1), "unforeseen"),
        (RawAnswer(400, "application/json", REFUSED, 99.0), "too long"),
        (RawAnswer(0, "", b"", 0.1), "connection closed"),
        (RawAnswer(0, "", b"", 0.1, timed_out=True), "no answer"),
    ],
    ids=["fine", "known", "done", "kind", "form", "status", "code", "unforeseen", "slow", "shut",
         "hang"],
)  # fmt: skip
def test_a_fault_of_the_host_would_be_seen(answer: RawAnswer, fault: str) -> None:
    found = faults(ASKED, answer, PLACES, MAX_SECONDS)
    assert fault in "".join(found)
    assert bool(found) is bool(fault)


def test_a_body_that_ends_too_early_needs_no_answer() -> None:
    request = RawRequest(b"POST", b"/", ((b"Host", b"x"),), framing=Framing.TOO_SHORT)
    answer = RawAnswer(0, "", b"", 0.1, timed_out=True)
    assert faults(request, answer, PLACES, MAX_SECONDS) == []
