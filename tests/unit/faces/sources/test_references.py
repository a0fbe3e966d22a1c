"""A picture is found by URL, store path or local path; a hostile reference changes nothing."""

import io
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from PIL import Image

from storycanvas.faces.errors import (
    FaceError,
    NotAPicture,
    PictureNotFound,
    PictureTooLarge,
    PictureUnreachable,
)
from storycanvas.faces.pictures.image_store import Category, ImageStore
from storycanvas.faces.pictures.reading import MAX_BYTES
from storycanvas.faces.sources.references import fetch_picture, input_address

PROMPT = 0.01
"""Seconds after which a server notices that it is to end."""


def png() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (3, 3), (9, 8, 7)).save(buffer, format="PNG")
    return buffer.getvalue()


class Site(BaseHTTPRequestHandler):
    """A small picture server with the faults that real ones have."""

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path == "/uploads/face.png":
            self.answer(200, png())
        elif path == "/page.html":
            self.answer(200, b"<html></html>")
        elif path == "/endless.png":
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"0" * (MAX_BYTES + 1))
        elif path.startswith("/status/"):
            self.answer(int(path.removeprefix("/status/")), b"")
        elif path == "/hop":
            self.redirect("/uploads/face.png")
        elif path == "/loop":
            self.redirect("/loop")
        elif path == "/to-cloud-metadata":
            self.redirect("http://169.254.169.254/latest")
        else:
            self.redirect("file:///etc/passwd")

    def answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def redirect(self, where: str) -> None:
        self.send_response(302)
        self.send_header("Location", where)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Stay quiet."""


@pytest.fixture
def site() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    thread = threading.Thread(target=server.serve_forever, args=(PROMPT,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def store(tmp_path: Path) -> ImageStore:
    return ImageStore((tmp_path / "images").as_uri())


def test_a_url_is_fetched(site: str, store: ImageStore) -> None:
    assert fetch_picture(f"{site}/uploads/face.png", store).width == 3


def test_a_redirect_is_followed(site: str, store: ImageStore) -> None:
    assert fetch_picture(f"{site}/hop", store).width == 3


def test_an_upload_of_the_app_is_found_on_the_apps_server(site: str, tmp_path: Path) -> None:
    store = ImageStore(tmp_path.as_uri(), f"{site}/pictures")

    assert fetch_picture("/uploads/face.png", store).width == 3


def test_an_address_of_the_store_is_read_without_its_server(tmp_path: Path) -> None:
    store = ImageStore(tmp_path.as_uri(), "http://127.0.0.1:1/never")
    stored = store.put(png(), Category.SOURCE, "png", datetime(2026, 11, 1, tzinfo=UTC))

    assert fetch_picture(stored.url, store).width == 3
    assert fetch_picture(stored.path, store).width == 3


def test_a_local_file_is_read(tmp_path: Path, store: ImageStore) -> None:
    file = tmp_path / "face.png"
    file.write_bytes(png())

    assert fetch_picture(str(file), store).width == 3


REFUSED: list[tuple[str, type[FaceError]]] = [
    ("{site}/page.html", NotAPicture),
    ("{site}/endless.png", PictureTooLarge),
    ("{site}/status/404", PictureNotFound),
    ("{site}/status/403", PictureNotFound),
    ("{site}/status/503", PictureUnreachable),
    ("{site}/status/429", PictureUnreachable),
    ("{site}/loop", PictureNotFound),
    ("{site}/to-cloud-metadata", PictureNotFound),
    ("{site}/to-a-file", PictureNotFound),
    ("http://169.254.169.254/latest", PictureNotFound),
    ("http://127.0.0.1:1/face.png", PictureUnreachable),
    ("http://[::ffff:169.254.169.254]/latest", PictureNotFound),
    ("http://127.0.0.1:99999/face.png", PictureNotFound),
    ("http://user:sec/ret@host/face.png", PictureNotFound),
    ("http://[::1/face.png", PictureNotFound),
    (f"http://{'a' * 70}.example/face.png", PictureNotFound),
    ("~no-such-user/face.png", PictureNotFound),
    ("/" + "n" * 300, PictureNotFound),
    ("nul\0.png", PictureNotFound),
    ("ftp://127.0.0.1/face.png", PictureNotFound),
    ("/nowhere/face.png", PictureNotFound),
    ("local/result/none.png", PictureNotFound),
    ("../../nowhere/secret", PictureNotFound),
    ("/etc/passwd", NotAPicture),
]


@pytest.mark.parametrize(("reference", "error"), REFUSED)
def test_a_reference_that_gives_no_picture_is_refused(
    site: str, store: ImageStore, reference: str, error: type[FaceError]
) -> None:
    with pytest.raises(error):
        fetch_picture(reference.format(site=site), store)


def test_a_secret_in_a_url_does_not_get_into_the_message(site: str, store: ImageStore) -> None:
    secret = site.replace("http://", "http://user:hunter2@") + "/status/404?token=hunter2"

    with pytest.raises(PictureNotFound) as refusal:
        fetch_picture(secret, store)

    assert "hunter2" not in str(refusal.value)


def test_a_picture_of_a_face_host_is_told_as_such(store: ImageStore) -> None:
    with pytest.raises(PictureNotFound, match="a face host, which keeps it for its --keep-hours"):
        fetch_picture(f"asset:{'0' * 64}.png", store)


def test_an_input_is_shown_to_the_app_by_an_address_without_secrets(
    site: str, store: ImageStore, tmp_path: Path
) -> None:
    file = tmp_path / "face.png"
    file.write_bytes(png())
    picture = fetch_picture(str(file), store)
    now = datetime(2026, 11, 1, tzinfo=UTC)
    plain, signed = f"{site}/uploads/face.png", f"{site}/uploads/face.png?signature=hunter2"

    kept = input_address(str(file), picture, store, now)

    assert kept.startswith("file:///")
    assert store.path_of(kept)
    assert input_address(kept, picture, store, now) == kept
    moved = f"http://127.0.0.1:41234/{store.path_of(kept)}"
    assert input_address(moved, picture, store, now) == kept
    assert input_address(plain, picture, store, now) == plain
    assert input_address(signed, picture, store, now) == kept
