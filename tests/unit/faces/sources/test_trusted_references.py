"""What a document names lies in the image store, in the app or on a listed server."""

import io
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from PIL import Image

from storycanvas.faces.errors import FaceError, PictureNotAllowed, PictureNotFound
from storycanvas.faces.pictures.image_store import Category, ImageStore
from storycanvas.faces.sources.references import fetch_picture
from storycanvas.faces.sources.trust import Trust
from storycanvas.net.url_hosts import UrlHost
from tests.support.host.scripted_host import Scripted, ScriptedHost

DOCUMENT = Trust(())


def png(width: int = 3) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (width, 3), (9, 8, 7)).save(buffer, format="PNG")
    return buffer.getvalue()


@pytest.fixture
def server() -> Iterator[ScriptedHost]:
    with ScriptedHost(Scripted(body=png())) as scripted:
        yield scripted


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """A picture beside the store, which this machine can read."""
    file = tmp_path / "secret.png"
    file.write_bytes(png())
    return file


@pytest.fixture
def store(tmp_path: Path, server: ScriptedHost) -> ImageStore:
    (tmp_path / "images").mkdir()
    return ImageStore((tmp_path / "images").as_uri(), f"{server.url}/pictures")


def test_a_document_names_a_stored_picture_by_address_and_path(tmp_path: Path) -> None:
    for base_url in (None, "http://127.0.0.1:1/never"):
        store = ImageStore(tmp_path.as_uri(), base_url)
        stored = store.put(png(), Category.SOURCE, "png", datetime(2026, 11, 1, tzinfo=UTC))

        for reference in (stored.url, stored.path):
            assert fetch_picture(reference, store, DOCUMENT).width == 3


def test_a_document_names_an_upload_of_the_app(server: ScriptedHost, store: ImageStore) -> None:
    assert fetch_picture("/uploads/face.png", store, DOCUMENT).width == 3
    assert [request.path for request in server.arrived] == ["/uploads/face.png"]


def test_a_document_names_a_picture_of_a_listed_server(tmp_path: Path) -> None:
    with ScriptedHost(Scripted(body=png())) as listed:
        trust = Trust((UrlHost.parse(f"127.0.0.1:{listed.server_port}"),))
        store = ImageStore(tmp_path.as_uri())

        assert fetch_picture(f"{listed.url}/face.png", store, trust).width == 3


REFUSED = [
    "{secret}",
    "file://{secret}",
    "file://localhost{secret}",
    "FILE://{secret}",
    "{store}/../secret.png",
    "{site}/pictures/../secret.png",
    "../secret.png",
    "local/../../secret.png",
    "link.png",
    "folder/secret.png",
    "{store}/link.png",
    "{site}/pictures/folder/secret.png",
    "loop.png",
    "..\\secret.png",
    "nul\0.png",
    "/etc/passwd",
    "/uploads/../secret.png",
    "/uploads/%2e%2e/secret.png",
    "/uploads/%252e%252e/secret.png",
    "/uploads/..%2fsecret.png",
    "/uploads/..%5csecret.png",
    "//127.0.0.1/secret.png",
    "{site}/secret.png",
    "{site}/uploads/../secret.png",
    "http://127.0.0.1:1/pictures/secret.png",
    "HTTP://127.0.0.1:1/secret.png",
    "http://pictures.example/face.png",
    "http://169.254.169.254/latest",
    "asset:0000.png",
    "data:image/png;base64,AAAA",
    "ftp://127.0.0.1/face.png",
    "s3://bucket/face.png",
    "C:/secret.png",
]


@pytest.mark.parametrize("reference", REFUSED)
def test_a_document_names_nothing_else(
    reference: str, secret: Path, store: ImageStore, server: ScriptedHost
) -> None:
    folder = secret.parent / "images"
    (folder / "link.png").symlink_to(secret)
    (folder / "folder").symlink_to(secret.parent)
    (folder / "loop.png").symlink_to(folder / "loop.png")
    named = reference.format(secret=secret, store=folder.as_uri(), site=server.url)

    with pytest.raises(PictureNotAllowed, match="IMAGE_URL_HOSTS") as refusal:
        fetch_picture(named, store, DOCUMENT)

    assert not refusal.value.retryable
    assert server.arrived == []


@pytest.mark.parametrize(
    ("reference", "error"),
    [
        ("local/%2e%2e/%2e%2e/secret.png", PictureNotFound),
        ("secret.png", PictureNotFound),
        ("~/secret.png", PictureNotFound),
    ],
)
def test_a_document_finds_in_the_store_what_has_that_very_name_only(
    reference: str,
    error: type[FaceError],
    secret: Path,
    store: ImageStore,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(secret.parent)

    with pytest.raises(error, match="The image store has no picture"):
        fetch_picture(reference, store, DOCUMENT)


def test_a_link_inside_of_the_store_is_followed_for_a_document(
    tmp_path: Path, store: ImageStore
) -> None:
    (tmp_path / "images" / "kept.png").write_bytes(png())
    (tmp_path / "images" / "link.png").symlink_to("kept.png")

    assert fetch_picture("link.png", store, DOCUMENT).width == 3


def test_an_upload_that_moves_out_of_the_uploads_is_refused(tmp_path: Path) -> None:
    moved = Scripted(status=302, headers={"Location": "/admin/secret.png"})
    with ScriptedHost(moved, Scripted(body=png())) as app:
        store = ImageStore(tmp_path.as_uri(), f"{app.url}/pictures")
        with pytest.raises(PictureNotAllowed, match=r"/admin/secret\.png"):
            fetch_picture("/uploads/face.png", store, DOCUMENT)
        assert len(app.arrived) == 1


def test_an_upload_that_moves_within_the_uploads_is_found(tmp_path: Path) -> None:
    moved = Scripted(status=302, headers={"Location": "/uploads/newer.png"})
    with ScriptedHost(moved, Scripted(body=png())) as app:
        store = ImageStore(tmp_path.as_uri(), f"{app.url}/pictures")

        assert fetch_picture("/uploads/face.png", store, DOCUMENT).width == 3


def test_a_long_value_is_cut_in_the_message(store: ImageStore) -> None:
    with pytest.raises(PictureNotAllowed) as refusal:
        fetch_picture(f"data:image/png;base64,{'A' * 100_000}", store, DOCUMENT)

    assert len(str(refusal.value)) < 1000
