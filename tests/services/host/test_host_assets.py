import hashlib
import http.client
from collections.abc import Iterator

import pytest

from storycanvas.faces.pictures.reading import MAX_BYTES
from tests.support.host.connections import half_an_upload
from tests.support.host.pictures import bomb, encoded
from tests.support.host.started_host import wait_until
from tests.support.host.threaded_host import ThreadedHost, code


@pytest.mark.parametrize(
    ("kind", "extension", "content_type"),
    [
        ("PNG", "png", "image/png"),
        ("JPEG", "jpg", "image/jpeg"),
        ("WEBP", "webp", "image/webp"),
        ("BMP", "bmp", "image/bmp"),
        ("GIF", "gif", "image/gif"),
        ("TIFF", "tif", "image/tiff"),
        ("AVIF", "avif", "image/avif"),
        ("HEIF", "heic", "image/heic"),
    ],
)
def test_an_upload_comes_back_under_the_hash_of_its_bytes(
    host: ThreadedHost, kind: str, extension: str, content_type: str
) -> None:
    sent = encoded(kind)
    path = host.upload(sent)
    answer = host.client.get(f"assets/{path}")
    assert path == f"asset:{hashlib.sha256(sent).hexdigest()}.{extension}"
    assert answer.content == sent
    assert answer.headers["content-type"] == content_type
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert host.age(path).status_code == 200


def test_a_form_upload_is_judged_by_its_content_alone(host: ThreadedHost) -> None:
    sent = encoded("JPEG")
    files = {"file": ("../../evil.exe", sent, "text/html")}
    path = host.client.post("assets", files=files).json()["path"]
    assert path == f"asset:{hashlib.sha256(sent).hexdigest()}.jpg"


def test_the_name_works_with_and_without_its_prefix(host: ThreadedHost, picture: str) -> None:
    name = picture.removeprefix("asset:")
    assert host.client.get(f"assets/{name}").content == encoded()


def test_head_answers_whether_a_picture_is_there(host: ThreadedHost, picture: str) -> None:
    there, missing = (host.client.head(f"assets/{name}") for name in (picture, f"{'0' * 64}.png"))
    assert (there.status_code, missing.status_code) == (200, 404)
    assert there.headers["content-length"] == str(len(encoded()))


def test_the_same_picture_twice_is_one_file(host: ThreadedHost) -> None:
    before = host.upload(encoded(colour="green"))
    files = sorted((host.data_dir / "assets").iterdir())
    assert host.upload(encoded(colour="green")) == before
    assert sorted((host.data_dir / "assets").iterdir()) == files


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", (415, "not_a_picture")),
        (b"only text", (415, "not_a_picture")),
        (encoded("ICO"), (415, "not_a_picture")),
        (encoded()[:20], (415, "not_a_picture")),
        (bomb(), (413, "too_large")),
        (encoded() + bytes(MAX_BYTES), (413, "too_large")),
        (bytes(MAX_BYTES + 1_000_000), (413, "too_large")),
    ],
    ids=["empty", "text", "ico", "cut", "bomb", "long", "longer"],
)
def test_a_refused_upload_leaves_nothing_behind(
    host: ThreadedHost, content: bytes, expected: tuple[int, str]
) -> None:
    before = sorted((host.data_dir / "assets").iterdir())
    assert code(host.client.post("assets", content=content)) == expected
    assert code(host.client.post("assets", files={"file": content})) == expected
    assert sorted((host.data_dir / "assets").iterdir()) == before


def test_an_upload_that_breaks_off_leaves_nothing_behind(
    host: ThreadedHost, caplog: pytest.LogCaptureFixture
) -> None:
    assets = host.data_dir / "assets"
    before = sorted(assets.iterdir())
    with half_an_upload(host.url, encoded(colour="blue")):
        wait_until(lambda: len(list(assets.iterdir())) > len(before))
    wait_until(lambda: sorted(assets.iterdir()) == before)
    assert "Traceback" not in caplog.text


def test_a_form_without_file_is_refused(host: ThreadedHost) -> None:
    assert code(host.client.post("assets", files={"picture": b"x"})) == (400, "bad_field")


def test_a_broken_form_is_refused(host: ThreadedHost) -> None:
    headers = {"Content-Type": "multipart/form-data"}
    answer = host.client.post("assets", content=b"--x", headers=headers)
    assert code(answer) == (400, "bad_field")


def endless(size: int) -> Iterator[bytes]:
    """A body of undeclared length."""
    for _ in range(size // 100_000):
        yield b" " * 100_000


@pytest.mark.parametrize(
    ("path", "size"), [("assets", MAX_BYTES + 1_000_000), ("adjust-face", 2_000_000)]
)
def test_a_body_beyond_its_limit_is_refused_declared_or_not(
    host: ThreadedHost, path: str, size: int
) -> None:
    headers = {"Content-Type": "application/json"}
    for content in (bytes(size), endless(size)):
        answer = host.client.post(path, content=content, headers=headers)
        assert code(answer) == (413, "too_large")


@pytest.mark.parametrize("path", ["assets", "adjust-face"])
def test_a_client_that_sends_all_before_it_reads_still_gets_its_refusal(
    host: ThreadedHost, path: str
) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", host.port, timeout=30)
    for content in (bytes(MAX_BYTES + 1_000_000), endless(MAX_BYTES + 1_000_000)):
        connection.request("POST", f"/api/v1/{path}", content)
        with connection.getresponse() as answer:
            assert answer.status == 413
        connection.close()


@pytest.mark.parametrize(
    "asked", ["bytes=0-1", "bytes=9-1", "bytes=99999999-", "lines=1", "bytes="]
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_picture_is_sent_whole_whatever_part_is_asked_for(
    host: ThreadedHost, picture: str, method: str, asked: str
) -> None:
    answer = host.client.request(method, f"assets/{picture}", headers={"Range": asked})
    assert answer.status_code == 200
    assert answer.headers["content-length"] == str(len(encoded()))
    assert answer.content == (encoded() if method == "GET" else b"")
