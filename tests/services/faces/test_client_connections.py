import traceback

import pytest

from storycanvas.faces.client.host_client import FaceHostClient
from storycanvas.faces.errors import ContractBroken, HostUnreachable, PictureNotFound, TokenRefused
from storycanvas.faces.operations import EnhanceOperation
from tests.support.host.connections import CountingRelay
from tests.support.host.scripted_host import AT_ONCE, INPUT, LOOK, PICTURE, Scripted, ScriptedHost
from tests.support.host.threaded_host import ThreadedHost


def test_fifty_calls_go_over_one_connection(host: ThreadedHost) -> None:
    with CountingRelay(host.port) as relay, FaceHostClient(relay.url) as client:
        for turn in range(10):
            asset = client.upload(PICTURE)
            client.status()
            made = client.operate(EnhanceOperation(), [asset], f"connection-{turn}").output_path
            client.download(made or "")
            client.status()
            with pytest.raises(PictureNotFound):
                client.operate(LOOK, INPUT, f"missing-{turn}")

    assert relay.connections == 1


@pytest.mark.parametrize("name", ["HTTP_PROXY", "ALL_PROXY"])
def test_a_proxy_of_the_environment_sees_nothing(
    host: ThreadedHost, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)

    with ScriptedHost(Scripted(502)) as proxy:
        monkeypatch.setenv(name, proxy.url)
        with FaceHostClient(host.url) as client:
            client.status()

    assert proxy.arrived == []


def test_a_redirect_is_not_followed() -> None:
    with (
        ScriptedHost(Scripted()) as elsewhere,
        ScriptedHost(Scripted(302, headers={"Location": elsewhere.url})) as host,
        FaceHostClient(host.url, "a-token") as client,
        pytest.raises(ContractBroken, match="HTTP 302"),
    ):
        client.status()

    assert host.arrived[0].headers["Authorization"] == "Bearer a-token"
    assert elsewhere.arrived == []


@pytest.mark.parametrize("token", ["se\ncret", "secret\u00e9"], ids=["two lines", "not ASCII"])
def test_a_token_that_cannot_be_sent_is_not_shown(token: str) -> None:
    with pytest.raises(TokenRefused) as refusal:
        FaceHostClient("http://127.0.0.1:1", token)

    assert "cret" not in "".join(traceback.format_exception(refusal.value))


def test_a_password_in_the_address_is_not_shown() -> None:
    with (
        FaceHostClient("http://me:secret@127.0.0.1:1", retries=AT_ONCE) as client,
        pytest.raises(HostUnreachable, match=r"http://127\.0\.0\.1:1 ") as refusal,
    ):
        client.status()

    assert "secret" not in "".join(traceback.format_exception(refusal.value))
