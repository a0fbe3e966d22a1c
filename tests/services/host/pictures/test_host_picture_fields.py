import os
from pathlib import Path

import pytest
from PIL import Image

from storycanvas.faces.pictures.reading import MAX_BYTES
from storycanvas.host.operations import runner
from storycanvas.host.storage import outputs
from storycanvas.host.storage.disk import LEAST_FREE_BYTES, shortage
from tests.support.host.picture_server import PictureServer
from tests.support.host.pictures import bomb, encoded
from tests.support.host.submitting import submitted, until
from tests.support.host.threaded_host import OpenHost, ThreadedHost, code


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    secret = tmp_path / "secret.png"
    secret.write_bytes(encoded())
    return secret


@pytest.mark.parametrize("way", ["face.png", "./sub/../face.png", "link.png"])
def test_a_path_that_stays_inside_is_read(host: ThreadedHost, allowed: Path, way: str) -> None:
    if way == "link.png":
        (allowed / way).symlink_to("face.png")
    assert host.age(f"{allowed}/{way}").status_code == 200


def test_outside_is_refused_whether_it_exists_or_not(
    host: ThreadedHost, allowed: Path, outside: Path
) -> None:
    link = allowed / "outside.png"
    link.symlink_to(outside)
    ways_out = [
        str(outside),
        f"{outside}.missing",
        f"{allowed}/../{outside.name}",
        f"{allowed}{os.sep}..{os.sep}..{outside}",
        f"{allowed}-sibling/face.png",
        str(link),
        "/proc/self/environ",
    ]
    answers = [host.age(way) for way in ways_out]
    assert [code(answer) for answer in answers] == [(400, "bad_field")] * len(ways_out)
    assert len({answer.text for answer in answers}) == 1
    assert "source_path" in answers[0].text


@pytest.mark.parametrize(
    "value",
    [
        "face.png", "./face.png", "~/face.png", "file:///etc/passwd",
        "ftp://127.0.0.1/face.png", "data:image/png;base64,AAAA", "C:\\face.png", "ASSET:x",
        "asset:", "asset:/etc/passwd", "/face.png\0.jpg", "/" + "x" * 5000, "/" + "x" * 3000,
        "http://", "http://[::", "http://127.0.0.1/\u2028",
    ],
)  # fmt: skip
def test_anything_else_is_refused(host: ThreadedHost, value: str) -> None:
    assert code(host.age(value)) == (400, "bad_field")


def test_a_loop_of_links_is_refused(host: ThreadedHost, allowed: Path) -> None:
    loop = allowed / "loop"
    loop.symlink_to(loop)
    assert host.age(str(loop / "face.png")).status_code in {400, 404}


def test_anything_but_a_file_inside_is_not_found(host: ThreadedHost, allowed: Path) -> None:
    pipe = allowed / "pipe.png"
    os.mkfifo(pipe)
    for path in (allowed, allowed / "missing.png", pipe):
        assert code(host.age(str(path))) == (404, "picture_not_found")


def test_without_allowed_folders_every_path_is_refused(open_host: OpenHost, allowed: Path) -> None:
    host = open_host()
    assert code(host.age(str(allowed / "face.png"))) == (400, "bad_field")


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("notes.png", b"only text", (415, "not_a_picture")),
        ("empty.png", b"", (415, "not_a_picture")),
        ("half.png", encoded(size=(64, 64))[:90], (415, "not_a_picture")),
        ("face.avif", encoded("AVIF").replace(b"iloc", b"none", 1), (415, "not_a_picture")),
        ("page.png", b"<svg xmlns='http://www.w3.org/2000/svg'/>", (415, "not_a_picture")),
        ("bomb.png", bomb(), (413, "too_large")),
        ("long.png", encoded() + bytes(MAX_BYTES), (413, "too_large")),
    ],
    ids=["text", "empty", "half", "avif", "svg", "bomb", "long"],
)
def test_an_unusable_file_is_refused(
    host: ThreadedHost, allowed: Path, name: str, content: bytes, expected: tuple[int, str]
) -> None:
    (allowed / name).write_bytes(content)
    assert code(host.age(str(allowed / name))) == expected


@pytest.mark.parametrize("kind", ["BMP", "GIF", "TIFF", "WEBP", "JPEG", "AVIF", "HEIF"])
def test_other_formats_below_an_allowed_folder_are_read(
    host: ThreadedHost, allowed: Path, kind: str
) -> None:
    path = allowed / f"face.{kind.lower()}"
    path.write_bytes(encoded(kind))
    assert host.age(str(path)).status_code == 200


def test_an_answer_notes_that_of_an_animation_the_first_frame_was_taken(
    host: ThreadedHost, allowed: Path
) -> None:
    first, second = (Image.new("RGB", (8, 8), colour) for colour in ("red", "blue"))
    path = allowed / "moving.webp"
    first.save(path, save_all=True, append_images=[second])
    note = "The picture source_path is animated; its first frame is used."
    assert host.age(str(path)).json()["notes"] == [note]
    assert host.age(host.upload(path.read_bytes())).json()["notes"] == [note]


def test_a_picture_is_fetched_from_an_allowed_server(
    host: ThreadedHost, picture_server: PictureServer
) -> None:
    answer = host.age(f"http://{picture_server.address}/good.jpg?size=large")
    assert answer.status_code == 200
    assert picture_server.paths[-1] == "/good.jpg?size=large"


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        ("/moved", (400, "bad_field")),
        ("/private", (400, "bad_field")),
        ("/gone", (404, "picture_not_found")),
        ("/down", (503, "picture_unreachable")),
        ("/huge", (413, "too_large")),
        ("/text", (415, "not_a_picture")),
        ("/packed", (415, "not_a_picture")),
    ],
)
def test_what_an_allowed_server_answers_is_checked(
    host: ThreadedHost, picture_server: PictureServer, page: str, expected: tuple[int, str]
) -> None:
    assert code(host.age(f"http://{picture_server.address}{page}?key=hidden")) == expected


def test_a_redirect_is_not_followed(host: ThreadedHost, picture_server: PictureServer) -> None:
    host.age(f"http://{picture_server.address}/moved")
    assert picture_server.paths[-1] == "/moved"


def test_another_server_is_not_even_asked(
    host: ThreadedHost, picture_server: PictureServer
) -> None:
    port = picture_server.server_port
    asked = list(picture_server.paths)
    for url in (
        f"http://localhost:{port}/good.jpg",
        f"https://127.0.0.1:{port + 1}/good.jpg",
        f"http://user@127.0.0.1:{port}/good.jpg",
        f"http://127.0.0.1:{port}@evil.example/good.jpg",
        "http://127.0.0.1/good.jpg",
        f"http://2130706433:{port}/good.jpg",
    ):
        assert code(host.age(url)) == (400, "bad_field"), url
    assert picture_server.paths == asked


def test_a_server_that_hangs_is_given_up(
    open_host: OpenHost, picture_server: PictureServer
) -> None:
    hosts = [picture_server.address]
    host = open_host(allow_url_hosts=hosts, download_seconds=0.1)
    answer = host.age(f"http://{picture_server.address}/hangs")
    assert code(answer) == (503, "picture_unreachable")
    assert answer.json()["error"]["retryable"] is True


def test_a_picture_is_fetched_once_for_an_operation_that_waits_for_room(
    open_host: OpenHost, picture_server: PictureServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = open_host(allow_url_hosts=[picture_server.address])
    looks = iter(["no room, once it is fetched.", None, "no room, once it is decoded."])

    def lack_of_an_output(folder: Path, name: str, needed: int) -> str | None:
        return next(looks, None) if needed > LEAST_FREE_BYTES else shortage(folder, name, needed)

    monkeypatch.setattr(outputs, "shortage", lack_of_an_output)
    monkeypatch.setattr(runner, "ROOM_SECONDS", 0.01)
    before = picture_server.paths.count("/good.jpg")
    taken = submitted(host, f"http://{picture_server.address}/good.jpg")

    assert until(host, taken.id, "succeeded").result
    assert next(looks, None) is None
    assert picture_server.paths.count("/good.jpg") == before + 1
