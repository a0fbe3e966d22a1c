"""A picture is downloaded from the very address that was judged, at every redirect anew."""

import ipaddress
import ssl
from collections.abc import Callable, Sequence
from pathlib import Path

import httpx
import pytest

from storycanvas.faces.errors import PictureNotAllowed, PictureNotFound, PictureUnreachable
from storycanvas.faces.sources.downloads import download
from storycanvas.faces.sources.trust import ANYWHERE, AddressCheck, Trust
from storycanvas.net.addresses import IpAddress
from storycanvas.net.url_hosts import UrlHost
from tests.support.host.certificates import secured, self_signed
from tests.support.host.pictures import encoded
from tests.support.host.scripted_host import Scripted, ScriptedHost

NAME = "pictures.example"
GOOD = encoded()
METADATA = "169.254.169.254"


class Names:
    """A name server whose answers change from question to question; the last one stays."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.asked: list[str] = []
        self._answers = answers

    def __call__(self, name: str) -> list[IpAddress]:
        turn = min(len(self.asked), len(self._answers) - 1)
        self.asked.append(name)
        return [ipaddress.ip_address(address) for address in self._answers[turn]]


def anywhere(url: httpx.URL) -> AddressCheck:
    return ANYWHERE.check(url, None)


def of_documents(*servers: str) -> Callable[[httpx.URL], AddressCheck]:
    trust = Trust(tuple(map(UrlHost.parse, servers)))
    return lambda url: trust.check(url, None)


def hosts_asked(server: ScriptedHost) -> list[str]:
    return [request.headers["Host"] for request in server.arrived]


def test_the_address_that_was_judged_is_asked_by_the_servers_name() -> None:
    names = Names(["127.0.0.1"], [METADATA])
    with ScriptedHost(Scripted(body=GOOD)) as server:
        authority = f"{NAME}:{server.server_port}"
        assert download(f"http://{authority}/face.png", anywhere, lookup=names) == GOOD
        assert hosts_asked(server) == [authority]
    assert names.asked == [NAME]


def test_a_redirect_is_judged_and_looked_up_anew() -> None:
    names = Names(["127.0.0.1"], [METADATA])
    moved = Scripted(status=302, headers={"Location": "/elsewhere.png"})
    with ScriptedHost(moved, Scripted(body=GOOD)) as server:
        with pytest.raises(PictureNotFound, match="leads to a link-local address"):
            download(f"http://{NAME}:{server.server_port}/face.png", anywhere, lookup=names)
        assert [request.path for request in server.arrived] == ["/face.png"]


@pytest.mark.parametrize("addresses", [[METADATA], ["127.0.0.1", METADATA], [f"::ffff:{METADATA}"]])
def test_one_link_local_address_is_enough_to_ask_none(addresses: list[str]) -> None:
    with ScriptedHost(Scripted(body=GOOD)) as server:
        url = f"http://{NAME}:{server.server_port}/face.png"
        with pytest.raises(PictureNotFound, match="leads to a link-local address"):
            download(url, anywhere, lookup=Names(addresses))
        assert server.arrived == []


def test_the_next_address_is_tried_when_the_first_does_not_answer() -> None:
    with ScriptedHost(Scripted(body=GOOD)) as server:
        url = f"http://{NAME}:{server.server_port}/face.png"
        assert download(url, anywhere, lookup=Names(["127.0.0.2", "127.0.0.1"])) == GOOD


def test_a_certificate_has_to_be_the_servers_own(tmp_path: Path) -> None:
    certificate = self_signed(NAME, tmp_path)
    trusted = ssl.create_default_context(cafile=certificate)
    names = Names(["127.0.0.1"])
    with secured(ScriptedHost(Scripted(body=GOOD)), certificate) as server:
        port = server.server_port
        url = f"https://{NAME}:{port}/face.png"
        assert download(url, anywhere, lookup=names, certificates=trusted) == GOOD
        other = f"https://other.example:{port}/face.png"
        with pytest.raises(PictureUnreachable):
            download(other, anywhere, lookup=names, certificates=trusted)
        assert hosts_asked(server) == [f"{NAME}:{port}"]


@pytest.mark.parametrize("addresses", [["127.0.0.1"], ["8.8.8.8", "10.0.0.1"], ["::1"]])
def test_a_documents_server_may_not_lead_into_a_private_network_by_name(
    addresses: list[str],
) -> None:
    judge = of_documents(NAME)

    with pytest.raises(PictureNotAllowed, match="an address that is not public"):
        download(f"http://{NAME}/face.png", judge, lookup=Names(addresses))


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
def test_a_documents_server_of_a_private_network_is_listed_by_its_address(name: str) -> None:
    with ScriptedHost(Scripted(body=GOOD)) as server:
        authority = f"{name}:{server.server_port}"
        judge = of_documents(authority)
        assert download(f"http://{authority}/x", judge, lookup=Names(["127.0.0.1"])) == GOOD


def test_a_link_local_address_is_not_fetched_although_it_is_listed() -> None:
    with pytest.raises(PictureNotFound, match="leads to a link-local address"):
        download(f"http://{METADATA}/x", of_documents(METADATA), lookup=Names([METADATA]))


@pytest.mark.parametrize(
    "url",
    [
        f"http://{NAME}.evil.example/x",
        f"http://evil.example/{NAME}",
        f"http://{NAME}@evil.example/x",
        f"http://user:secret@{NAME}/x",
        f"http://{NAME}:8080/x",
        f"http://{NAME}./x",
    ],
)
def test_a_server_that_is_not_listed_is_not_even_looked_up(url: str) -> None:
    names = Names(["127.0.0.1"])

    with pytest.raises(PictureNotAllowed, match="IMAGE_URL_HOSTS") as refusal:
        download(url, of_documents(NAME), lookup=names)

    assert "secret" not in str(refusal.value)
    assert names.asked == []


def test_a_redirect_of_a_listed_server_to_another_one_is_refused() -> None:
    with ScriptedHost(Scripted(body=GOOD)) as inner:
        moved = Scripted(status=302, headers={"Location": f"{inner.url}/secret.png"})
        with ScriptedHost(moved) as server:
            listed = f"127.0.0.1:{server.server_port}"
            with pytest.raises(PictureNotAllowed, match=r"secret\.png"):
                download(f"http://{listed}/x", of_documents(listed))
        assert inner.arrived == []


def test_a_redirect_to_a_file_is_refused() -> None:
    moved = Scripted(status=302, headers={"Location": "file:///etc/passwd"})
    with ScriptedHost(moved) as server, pytest.raises(PictureNotFound, match="not an http"):
        download(f"{server.url}/x", anywhere)
