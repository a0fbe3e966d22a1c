import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from storycanvas.faces.client.assets import CHUNK_BYTES
from storycanvas.faces.client.host_client import FaceHostClient
from storycanvas.faces.errors import (
    AnswerDamaged,
    FaceError,
    NotAPicture,
    PictureNotFound,
    PictureTooLarge,
)
from storycanvas.faces.pictures.reading import MAX_BYTES, Picture
from tests.support.host.pictures import encoded
from tests.support.host.scripted_host import (
    AT_ONCE,
    LACKING,
    LOOK,
    NAME,
    PICTURE,
    STORED,
    Scripted,
    ScriptedHost,
)
from tests.support.host.threaded_host import OpenHost, ThreadedHost


def test_what_the_host_lacks_is_sent_once() -> None:
    with ScriptedHost(LACKING, STORED) as host, FaceHostClient(host.url) as client:
        assert [client.upload(PICTURE) for _ in range(3)] == [NAME] * 3

    assert host.methods() == ["HEAD", "POST"]
    assert host.arrived[1].body == PICTURE.png


def test_what_the_host_has_is_not_sent() -> None:
    with ScriptedHost(Scripted()) as host, FaceHostClient(host.url) as client:
        assert [client.upload(PICTURE) for _ in range(3)] == [NAME] * 3

    assert host.methods() == ["HEAD"]


def test_threads_with_the_same_picture_send_it_once() -> None:
    with (
        ScriptedHost(LACKING, STORED) as host,
        FaceHostClient(host.url) as client,
        ThreadPoolExecutor(8) as threads,
    ):
        assert set(threads.map(client.upload, [PICTURE] * 32)) == {NAME}

    assert host.methods() == ["HEAD", "POST"]


def test_a_large_picture_goes_in_pieces_of_a_known_total() -> None:
    png = bytes(range(256)) * (4 * CHUNK_BYTES // 256) + b"end"
    name = hashlib.sha256(png).hexdigest()
    stored = Scripted(body=f'{{"path": "asset:{name}.png"}}'.encode())

    with ScriptedHost(LACKING, stored) as host, FaceHostClient(host.url) as client:
        client.upload(Picture(png, 1, 1, ""))

    sent = host.arrived[1]
    assert sent.headers["Content-Length"] == str(len(png))
    assert "Transfer-Encoding" not in sent.headers
    assert sent.body == png


def test_an_upload_that_is_turned_away_is_sent_again_from_its_begin() -> None:
    with (
        ScriptedHost(LACKING, Scripted(503), STORED) as host,
        FaceHostClient(host.url, retries=AT_ONCE) as client,
    ):
        client.upload(PICTURE)

    assert [request.body for request in host.arrived] == [b"", PICTURE.png, PICTURE.png]


def test_a_picture_that_changed_on_its_way_is_sent_again_and_then_refused() -> None:
    other = Scripted(body=f'{{"path": "asset:{"a" * 64}.png"}}'.encode())

    with (
        ScriptedHost(LACKING, other) as host,
        FaceHostClient(host.url, retries=AT_ONCE) as client,
        pytest.raises(AnswerDamaged, match="changed on its way"),
    ):
        client.upload(PICTURE)

    assert host.methods() == ["HEAD", *["POST"] * AT_ONCE.tries]


def test_a_file_is_kept_by_a_host_as_it_is(host: ThreadedHost, tmp_path: Path) -> None:
    photo = tmp_path / "photo.JPEG"
    photo.write_bytes(encoded("JPEG", (9, 9)))

    with FaceHostClient(host.url) as client:
        asset = client.upload(photo)

    assert asset == f"asset:{hashlib.sha256(photo.read_bytes()).hexdigest()}.jpg"
    assert host.client.get(f"assets/{asset}").content == photo.read_bytes()


def test_a_file_that_a_host_would_refuse_is_not_sent(tmp_path: Path) -> None:
    large = tmp_path / "large.png"
    with large.open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    refused: dict[Path, type[FaceError]] = {
        large: PictureTooLarge,
        tmp_path / "missing.png": PictureNotFound,
        tmp_path / "drawing.svg": NotAPicture,
    }

    with ScriptedHost(STORED) as host, FaceHostClient(host.url) as client:
        for path, error in refused.items():
            with pytest.raises(error):
                client.upload(path)

    assert host.arrived == []


@pytest.fixture
def forgetful(open_host: OpenHost) -> ThreadedHost:
    return open_host()


def lose_pictures(host: ThreadedHost) -> None:
    for kept in (host.data_dir / "assets").iterdir():
        kept.unlink()


def test_an_input_that_the_host_removed_is_sent_again(forgetful: ThreadedHost) -> None:
    with FaceHostClient(forgetful.url) as client:
        assets = [client.upload(PICTURE)]
        lose_pictures(forgetful)
        answer = client.operate(LOOK, assets, "k", upload_again=lambda: client.upload(PICTURE))

    assert answer.faces
    assert len(forgetful.engine.calls) == 1


def test_an_input_that_stays_away_is_sent_again_only_once(forgetful: ThreadedHost) -> None:
    sent: list[str] = []

    with FaceHostClient(forgetful.url) as client:
        assets = [client.upload(PICTURE)]
        lose_pictures(forgetful)
        with pytest.raises(PictureNotFound):
            client.operate(LOOK, assets, "k", upload_again=lambda: sent.append("again"))

    assert sent == ["again"]


def test_a_picture_that_turned_out_to_be_gone_is_not_remembered(forgetful: ThreadedHost) -> None:
    with FaceHostClient(forgetful.url) as client:
        assets = [client.upload(PICTURE)]
        lose_pictures(forgetful)
        with pytest.raises(PictureNotFound):
            client.operate(LOOK, assets, "k")
        client.upload(PICTURE)

        assert client.operate(LOOK, assets, "k").faces
