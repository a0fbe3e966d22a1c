import pytest

from storycanvas.faces.client.host_client import FaceHostClient
from storycanvas.faces.client.timeouts import Timeouts
from storycanvas.faces.errors import (
    AnswerDamaged,
    ContractBroken,
    FaceError,
    HostUnreachable,
    PictureTooLarge,
)
from storycanvas.faces.pictures.reading import MAX_BYTES, Picture
from tests.support.host.pictures import encoded
from tests.support.host.scripted_host import AT_ONCE, NAME, PICTURE, Scripted, ScriptedHost
from tests.support.host.threaded_host import ThreadedHost

WHOLE = Scripted(body=PICTURE.png)
HALF = len(PICTURE.png) // 2
DAMAGED = {
    "half of it": Scripted(body=PICTURE.png, sends=HALF),
    "less than declared": Scripted(
        body=PICTURE.png, headers={"Content-Length": "9999"}, sends=9999
    ),
    "half of it, as if whole": Scripted(body=PICTURE.png[:HALF]),
    "another picture": Scripted(body=encoded(colour="blue")),
    "nothing": Scripted(),
}


def download(host: ScriptedHost, asset: str = NAME) -> Picture:
    with FaceHostClient(host.url, retries=AT_ONCE) as client:
        return client.download(asset)


def test_a_picture_comes_back_as_it_went(host: ThreadedHost) -> None:
    with FaceHostClient(host.url) as client:
        assert client.download(client.upload(PICTURE)) == PICTURE


@pytest.mark.parametrize("said", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_picture_is_fetched_again(said: Scripted) -> None:
    with ScriptedHost(said, WHOLE) as host:
        assert download(host) == PICTURE

    assert len(host.arrived) == 2


@pytest.mark.parametrize("said", DAMAGED.values(), ids=DAMAGED)
def test_a_picture_that_stays_damaged_is_said_to_be(said: Scripted) -> None:
    with ScriptedHost(said) as host, pytest.raises(AnswerDamaged, match="bytes") as damage:
        download(host)

    assert damage.value.retryable
    assert len(host.arrived) == AT_ONCE.tries


ENDLESS: dict[str, Scripted] = {
    "declared": Scripted(body=bytes(MAX_BYTES + 1)),
    "not declared": Scripted(body=bytes(MAX_BYTES + 1), trickles=True),
}


@pytest.mark.parametrize("said", ENDLESS.values(), ids=ENDLESS)
def test_no_more_of_a_picture_is_read_than_a_picture_may_have(said: Scripted) -> None:
    with ScriptedHost(said) as host, pytest.raises(PictureTooLarge):
        download(host)

    assert len(host.arrived) == 1


def test_an_answer_that_trickles_is_left() -> None:
    hasty = Timeouts(transfer=0.05)

    with (
        ScriptedHost(Scripted(trickles=True)) as host,
        FaceHostClient(host.url, timeouts=hasty, retries=AT_ONCE) as client,
        pytest.raises(HostUnreachable, match="did not end its answer"),
    ):
        client.download(NAME)


def test_a_status_without_end_is_no_status() -> None:
    with (
        ScriptedHost(Scripted(body=bytes(MAX_BYTES), trickles=True)) as host,
        FaceHostClient(host.url) as client,
        pytest.raises(ContractBroken),
    ):
        client.status()


@pytest.mark.parametrize(
    "name", ["/etc/passwd", "asset:x.png", f"asset:../{'a' * 64}.png", f"{NAME}?", f"{NAME}\n"]
)
def test_only_a_picture_by_its_content_is_fetched(name: str) -> None:
    with ScriptedHost(WHOLE) as host, pytest.raises(FaceError) as refusal:
        download(host, name)

    assert isinstance(refusal.value, ContractBroken)
    assert host.arrived == []
