"""A picture that a client has its host remove, and who still believes that it is there."""

import pytest

from storycanvas.faces.client.host_client import FaceHostClient
from storycanvas.faces.errors import BadField, HostNotReady
from tests.support.host.scripted_host import (
    AT_ONCE,
    LOOK,
    NAME,
    PICTURE,
    Scripted,
    ScriptedHost,
    refused,
)
from tests.support.host.threaded_host import OpenHost, ThreadedHost

GONE = Scripted(204)


@pytest.fixture
def own(open_host: OpenHost) -> ThreadedHost:
    return open_host()


@pytest.mark.parametrize(("status", "done"), [(204, True), (404, False), (405, False)])
def test_a_host_that_removes_nothing_is_no_error(status: int, *, done: bool) -> None:
    with ScriptedHost(Scripted(status)) as host, FaceHostClient(host.url) as client:
        assert client.remove(NAME) is done

    (request,) = host.arrived
    assert (request.method, request.path) == ("DELETE", f"/api/v1/assets/{PICTURE.asset_name}")


def test_a_removal_is_tried_again_as_the_host_asks() -> None:
    busy = refused(503, "not_ready", retryable=True)

    with (
        ScriptedHost(busy, GONE) as host,
        FaceHostClient(host.url, retries=AT_ONCE) as client,
    ):
        assert client.remove(NAME)

    assert host.methods() == ["DELETE"] * 2


def test_a_host_that_cannot_remove_it_for_now_is_an_error() -> None:
    busy = refused(503, "not_ready", retryable=True)

    with (
        ScriptedHost(busy) as host,
        FaceHostClient(host.url, retries=AT_ONCE) as client,
        pytest.raises(HostNotReady),
    ):
        client.remove(NAME)


@pytest.mark.parametrize("name", ["", "asset:x.png", "../operations/1", PICTURE.asset_name])
def test_a_name_that_no_upload_returned_is_not_sent(name: str) -> None:
    with (
        ScriptedHost(GONE) as host,
        FaceHostClient(host.url) as client,
        pytest.raises(BadField, match="no picture's name"),
    ):
        client.remove(name)

    assert host.arrived == []


@pytest.mark.parametrize("status", [204, 404, 405])
def test_a_removed_picture_is_asked_about_again(status: int) -> None:
    with (
        ScriptedHost(Scripted(), Scripted(status), Scripted()) as host,
        FaceHostClient(host.url) as client,
    ):
        client.upload(PICTURE)
        client.remove(NAME)
        client.upload(PICTURE)

    assert host.methods() == ["HEAD", "DELETE", "HEAD"]


def test_a_removed_picture_is_sent_again(own: ThreadedHost) -> None:
    with FaceHostClient(own.url) as client:
        asset = client.upload(PICTURE)
        assert client.remove(asset)
        assert own.client.head(f"assets/{asset}").status_code == 404

        assert client.operate(LOOK, [client.upload(PICTURE)], "k").faces


def test_another_client_that_knew_the_picture_there_sends_it_again(own: ThreadedHost) -> None:
    with FaceHostClient(own.url) as one, FaceHostClient(own.url) as other:
        asset = other.upload(PICTURE)
        one.remove(one.upload(PICTURE))

        assets = [other.upload(PICTURE)]
        assert own.client.head(f"assets/{asset}").status_code == 404
        answer = other.operate(LOOK, assets, "k", upload_again=lambda: other.upload(PICTURE))

    assert answer.faces
