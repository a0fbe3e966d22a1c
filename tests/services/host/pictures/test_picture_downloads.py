import asyncio
import ipaddress
import ssl
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest

from storycanvas.faces.errors import BadField, FaceError, PictureUnreachable
from storycanvas.host.sources.picture_downloads import PictureDownloads
from storycanvas.net.addresses import IpAddress, Lookup, look_up
from storycanvas.net.url_hosts import UrlHost, parse_url_host
from tests.support.host.certificates import secured, self_signed
from tests.support.host.pictures import encoded
from tests.support.host.scripted_host import Scripted, ScriptedHost
from tests.system.fuzz.strange_server import StrangeServer

NAME = "pictures.example"
GOOD = encoded()


@pytest.fixture
def server() -> Iterator[ScriptedHost]:
    with ScriptedHost(Scripted(body=GOOD)) as scripted:
        yield scripted


def names(server: ScriptedHost) -> list[str]:
    """The names by which a server was asked."""
    return [request.headers["Host"] for request in server.arrived]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return self_signed(NAME, tmp_path_factory.mktemp("certificate"))


@pytest.fixture
def secure_server(certificate: Path) -> Iterator[ScriptedHost]:
    with secured(ScriptedHost(Scripted(body=GOOD)), certificate) as server:
        yield server


def leads_to(*addresses: str) -> Lookup:
    async def lookup(_: str) -> list[IpAddress]:
        return [ipaddress.ip_address(address) for address in addresses]

    return lookup


def fetch(
    url: str, lookup: Lookup, *, allow_private: bool = True, trusted: Path | None = None
) -> bytes:
    authority = url.split("/")[2]
    name, _, port = authority.partition(":")
    downloads = PictureDownloads(
        [UrlHost(name, int(port))], 10.0, allow_private=allow_private, lookup=lookup,
        certificates=ssl.create_default_context(cafile=trusted) if trusted else None,
    )  # fmt: skip
    with asyncio.run(downloads.fetch("source_path", url)) as file:
        return file.read()


def test_the_address_that_was_checked_is_asked_by_the_servers_name(server: ScriptedHost) -> None:
    url = f"http://{NAME}:{server.server_port}/face.png"
    assert fetch(url, leads_to("127.0.0.1")) == GOOD
    assert names(server) == [f"{NAME}:{server.server_port}"]


def test_a_certificate_has_to_be_the_servers_own(
    secure_server: ScriptedHost, certificate: Path
) -> None:
    port, lookup = secure_server.server_port, leads_to("127.0.0.1")
    assert fetch(f"https://{NAME}:{port}/x", lookup, trusted=certificate) == GOOD
    with pytest.raises(PictureUnreachable):
        fetch(f"https://other.example:{port}/x", lookup, trusted=certificate)
    with pytest.raises(PictureUnreachable):
        fetch(f"https://{NAME}:{port}/x", lookup)
    assert names(secure_server) == [f"{NAME}:{port}"]


@pytest.mark.parametrize(
    ("addresses", "allow_private"),
    [
        (("127.0.0.1",), False),
        (("8.8.8.8", "127.0.0.1"), False),
        (("127.0.0.1", "169.254.169.254"), True),
        (("127.0.0.1", "::"), True),
        (("::ffff:127.0.0.1",), False),
    ],
)
def test_one_address_that_is_not_allowed_is_enough_to_refuse(
    server: ScriptedHost, addresses: tuple[str, ...], *, allow_private: bool
) -> None:
    url = f"http://{NAME}:{server.server_port}/face.png"
    with pytest.raises(BadField, match="not public"):
        fetch(url, leads_to(*addresses), allow_private=allow_private)
    assert names(server) == []


def test_localhost_needs_no_further_option(server: ScriptedHost) -> None:
    url = f"http://localhost:{server.server_port}/face.png"
    assert fetch(url, look_up, allow_private=False) == GOOD


def test_the_next_address_is_tried_when_the_first_does_not_answer(server: ScriptedHost) -> None:
    url = f"http://{NAME}:{server.server_port}/face.png"
    assert fetch(url, leads_to("127.0.0.2", "127.0.0.1")) == GOOD


def test_a_picture_that_waits_for_its_turn_lies_in_a_file_without_a_name(tmp_path: Path) -> None:
    async def fetched(url: str) -> list[IO[bytes]]:
        downloads = PictureDownloads([parse_url_host(url.split("/")[2])], 10.0, folder=tmp_path)
        return [await downloads.fetch("source_path", url) for _ in range(4)]

    with ScriptedHost(Scripted(body=GOOD + bytes(10_000_000))) as large:
        tracemalloc.start()
        files = asyncio.run(fetched(f"http://127.0.0.1:{large.server_port}/face.png"))
        held, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert held < 20_000_000, "four of 10 MB and the server's own"
    assert list(tmp_path.iterdir()) == []
    for file in files:
        with file:
            assert file.read(len(GOOD)) == GOOD


@pytest.mark.parametrize("name", ["no-such-name.invalid", "x" * 64 + ".invalid"])
def test_a_name_without_address_is_unreachable(name: str) -> None:
    with pytest.raises(PictureUnreachable):
        fetch(f"http://{name}:80/face.png", look_up)


@pytest.mark.parametrize(
    ("page", "error"),
    [
        ("/moved", BadField),
        ("/moved-to-file", BadField),
        ("/moved-nowhere", BadField),
        ("/partial", BadField),
        ("/headers", PictureUnreachable),
        ("/too-short", FaceError),
        ("/chunked", PictureUnreachable),
        ("/garbage", PictureUnreachable),
        ("/nothing", PictureUnreachable),
        ("/endless", FaceError),
    ],
)
def test_a_misbehaving_server_is_refused(page: str, error: type[FaceError]) -> None:
    with StrangeServer(GOOD) as elsewhere, StrangeServer(GOOD, elsewhere.address) as strange:
        with pytest.raises(error):
            fetch(f"http://{strange.address}{page}", look_up)
        assert next(elsewhere.asked) == 0
