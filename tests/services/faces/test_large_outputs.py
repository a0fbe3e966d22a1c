"""What a host makes of an accepted picture is accepted again, by every road that leads to one."""

import os
from pathlib import Path

import pytest
from PIL import Image

from storycanvas.faces.client.host_client import FaceHostClient
from storycanvas.faces.operations import EnhanceOperation
from storycanvas.faces.pictures.image_store import ImageStore
from storycanvas.faces.pictures.reading import MAX_BYTES, Picture
from storycanvas.faces.sources.references import fetch_picture
from tests.support.host.gated_engine import GatedEngine
from tests.support.host.picture_server import PAGES, PictureServer
from tests.support.host.threaded_host import OpenHost, ThreadedHost

OPERATION = EnhanceOperation()


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A JPEG file of 14 MP whose pixels do not fit into 30 MB without loss."""
    path = tmp_path_factory.mktemp("photo") / "photo.jpg"
    noise = Image.frombytes("RGB", (4200, 3300), os.urandom(4200 * 3300 * 3))
    noise.save(path, quality=75)
    assert path.stat().st_size < MAX_BYTES
    return path


@pytest.fixture(scope="module")
def output(photo: Path, tmp_path_factory: pytest.TempPathFactory) -> Picture:
    """Have the photo worked on, and fetch what came of it."""
    engine, folder = GatedEngine(), tmp_path_factory.mktemp("host")
    with ThreadedHost(engine, folder) as host, FaceHostClient(host.url) as client:
        answer = client.operate(OPERATION, [client.upload(photo)], "first")
        made = client.download(answer.output_path or "")
    assert len(made.png) > MAX_BYTES
    return made


def test_an_output_of_more_than_30_mb_can_be_the_next_input(
    output: Picture, open_host: OpenHost, picture_server: PictureServer, tmp_path: Path
) -> None:
    file = tmp_path / "output.png"
    file.write_bytes(output.png)
    PAGES["/output.png"] = (200, {}, output.png)
    host = open_host(allow_roots=[tmp_path], allow_url_hosts=[picture_server.address])
    with FaceHostClient(host.url) as client:
        uploaded = client.upload(output)
        assert client.upload(file) == uploaded
        named = [uploaded, str(file), f"http://{picture_server.address}/output.png"]
        for number, name in enumerate(named):
            answer = client.operate(OPERATION, [name], f"key-{number}")
            assert answer.output_path == f"asset:{output.asset_name}"
    assert [picture.sha256 for picture in host.engine.pictures] == [output.sha256] * len(named)


def test_an_output_of_more_than_30_mb_can_be_fetched_by_a_run(
    output: Picture, picture_server: PictureServer, tmp_path: Path
) -> None:
    file = tmp_path / "output.png"
    file.write_bytes(output.png)
    PAGES["/output.png"] = (200, {}, output.png)
    store = ImageStore(tmp_path.as_uri())
    for name in (str(file), "output.png", f"http://{picture_server.address}/output.png"):
        assert fetch_picture(name, store) == output
