"""A small share of `make fuzz`: hostile requests by three clients to a host with a token."""

from pathlib import Path

import httpx
import pytest

from storycanvas.faces.client.host_client import FaceHostClient
from storycanvas.faces.contract import API
from storycanvas.host.page.routes import PASS_PATH
from storycanvas.net.retry import RetryPolicy
from tests.support.host.pictures import encoded
from tests.support.host.threaded_host import OpenHost
from tests.support.raw_http import Framing, RawAnswer, RawRequest
from tests.system.fuzz.access import Access, basic
from tests.system.fuzz.attack import Attack
from tests.system.fuzz.hostile_places import make_places
from tests.system.fuzz.strange_server import StrangeServer

TOKEN = "requests-made-up-token"  # noqa: S105 - made up
REQUESTS, OWN = 100, 10


# Starlette leaves the buffer of a form whose body breaks off to the garbage collector.
@pytest.mark.filterwarnings("ignore:Exception ignored in. <function SpooledTemporaryFile")
def test_hostile_requests_break_no_claim_and_get_no_secret(
    open_host: OpenHost, tmp_path: Path
) -> None:
    with StrangeServer(encoded()) as elsewhere, StrangeServer(encoded()) as server:
        places = make_places(tmp_path / "places", server.address, elsewhere.address)
        host = open_host(
            token=TOKEN,
            queue=64,
            allow_roots=[tmp_path / "places" / "allowed"],
            allow_url_hosts=[server.address],
            download_seconds=0.5,
        )
        host.client.headers["Authorization"] = f"Bearer {TOKEN}"
        shown = {"Authorization": basic(TOKEN).decode()}
        made = httpx.post(f"{host.url}{PASS_PATH}", headers=shown).json()["pass"]
        places = places.with_asset(host.upload(encoded()))
        attack = Attack(("127.0.0.1", host.port), places, Access(TOKEN, made, tmp_path / "data"))
        with FaceHostClient(host.url, TOKEN, retries=RetryPolicy(tries=1)) as client:
            attack.call(client, OWN, 1)
        attack.run(REQUESTS, 1, longest=20.0)
    assert attack.faults == {}
    assert set(attack.clients) == {"bytes", "curl", "httpx", "own"}
    assert {200, 400, 401} <= set(attack.statuses)


def test_a_secret_or_an_open_door_would_be_seen() -> None:
    access = Access(TOKEN, "9.pass", Path("/srv/made-up"))
    bearer, asked = (b"Authorization", b"Bearer " + TOKEN.encode()), f"{API}/operations".encode()
    answers = {
        (): RawAnswer(200, "", b"", 0.1),
        (bearer,): RawAnswer(401, "", b"", 0.1),
        (bearer, bearer): RawAnswer(200, "", b"at /srv/made-up/assets", 0.1, head=f"x: {TOKEN}"),
        ((b"Authorization", basic(TOKEN)),): RawAnswer(404, "", b"", 0.1),
    }
    found = [
        access.faults(RawRequest(b"GET", asked, headers, framing=Framing.NONE), answer)
        for headers, answer in answers.items()
    ]
    assert found == [
        ["let in a caller without a token"],
        ["refused a caller with the token"],
        ["told the token", "told the folder"],
        ["let in a caller without a token"],
    ]
    page = RawRequest(b"GET", b"/docs", ((b"Authorization", basic(TOKEN)),), framing=Framing.NONE)
    assert access.faults(page, RawAnswer(200, "", b"", 0.1)) == []
