"""A stored path lies below the store that its first part names, and outside of none."""

import io
from datetime import UTC, datetime
from pathlib import Path

import pytest
from PIL import Image

from storycanvas.faces.errors import PictureNotAllowed, PictureNotFound
from storycanvas.faces.pictures.image_store import Category, ImageStore
from storycanvas.faces.sources.folders import pictures_in
from storycanvas.faces.sources.references import fetch_picture, input_address
from storycanvas.faces.sources.storage_paths import read_stores, reference_of
from storycanvas.faces.sources.trust import Trust

DOCUMENT = Trust(())
S3, LOCAL = {"s3": "s3://bucket"}, {"local": "file:///srv/images"}
BOTH = S3 | LOCAL
OURS = f"local/result/2026/11/{'0' * 64}.png"


@pytest.mark.parametrize(
    ("path", "stores", "reference"),
    [
        ("local/source/2024/01/a.jpg", {}, "local/source/2024/01/a.jpg"),
        ("local/source/2024/01/a.jpg", LOCAL, "file:///srv/images/source/2024/01/a.jpg"),
        ("local/source/2024/01/a.jpg", S3, "local/source/2024/01/a.jpg"),
        ("s3/templates/acg/t.png", {}, "s3/templates/acg/t.png"),
        ("s3/templates/acg/t.png", S3, "s3://bucket/templates/acg/t.png"),
        ("s3/templates/acg/t.png", LOCAL, "file:///srv/images/s3/templates/acg/t.png"),
        ("temp/a.jpg", {}, "temp/a.jpg"),
        ("temp/a.jpg", BOTH, "file:///srv/images/temp/a.jpg"),
        ("templates/a b#c?.png", BOTH, "file:///srv/images/templates/a b#c?.png"),
        ("s3", BOTH, "file:///srv/images/s3"),
        ("S3/a.png", BOTH, "file:///srv/images/S3/a.png"),
        (OURS, BOTH, OURS),
    ],
)
def test_the_first_part_is_a_store_only_where_it_is_named(
    path: str, stores: dict[str, str], reference: str
) -> None:
    assert reference_of(path, stores) == reference


@pytest.mark.parametrize("stores", [{}, BOTH])
@pytest.mark.parametrize(
    "path",
    [
        *("/etc/hostname", "../secret.png", "s3/../../secret.png", "s3/../local/a.png", "local/.."),
        *("file:///etc/hostname", "FILE:///etc/hostname", "http://127.0.0.1/a.png", "C:/a.png"),
        *("s3/nul\0.png", "s3\\..\\secret.png", "asset:0000.png", "temp/../a.png", "//host/a.png"),
    ],
)
def test_a_path_that_leads_elsewhere_is_refused(path: str, stores: dict[str, str]) -> None:
    with pytest.raises(PictureNotAllowed, match="IMAGE_STORES"):
        reference_of(path, stores)


def test_an_absolute_path_behind_the_name_of_a_store_is_refused() -> None:
    with pytest.raises(PictureNotAllowed):
        reference_of("s3//etc/hostname", BOTH)


def test_stores_are_read_by_name() -> None:
    assert read_stores(" s3=s3://bucket , local=file:///srv/images,,") == BOTH
    assert read_stores("") == {}


@pytest.mark.parametrize(
    "text",
    [
        *("s3", "s3=", "=s3://bucket", "s3=bucket", "a/b=s3://bucket", "local=/srv/images"),
        *("web=http://127.0.0.1/x", "web=HTTPS://pictures.example", "all=file:///", "all=s3://"),
        *("c=simplecache::s3://bucket", "s3=s3://one,s3=s3://two"),
    ],
)
def test_what_is_no_store_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is no NAME=URL|is named twice"):
        read_stores(text)


def test_a_secret_in_a_store_that_is_refused_is_not_named() -> None:
    with pytest.raises(ValueError, match=r"pictures\.example") as refusal:
        read_stores("web=https://user:hunter2@pictures.example/x?key=hunter2")

    assert "hunter2" not in str(refusal.value)


def png() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (3, 3), (9, 8, 7)).save(buffer, format="PNG")
    return buffer.getvalue()


@pytest.fixture
def store(tmp_path: Path) -> ImageStore:
    """A main store, and one beside it with a picture and a link that leads out."""
    folder = tmp_path / "app" / "temp"
    folder.mkdir(parents=True)
    (folder / "face.png").write_bytes(png())
    (tmp_path / "secret.png").write_bytes(png())
    (folder / "link.png").symlink_to(tmp_path / "secret.png")
    others = {"local": ImageStore((tmp_path / "app").as_uri())}
    return ImageStore((tmp_path / "images").as_uri(), "http://127.0.0.1:1/never", others)


def test_a_document_names_a_picture_of_a_store_beside_the_main_one(store: ImageStore) -> None:
    for path in ("temp/face.png", "local/temp/face.png"):
        assert fetch_picture(reference_of(path, store.roots), store, DOCUMENT).width == 3


def test_a_document_names_nothing_outside_of_such_a_store(
    store: ImageStore, tmp_path: Path
) -> None:
    root = (tmp_path / "app").as_uri()
    for reference in (
        f"{root}/temp/link.png",
        f"{root}/../secret.png",
        f"{root}/temp/nul\0.png",
        f"{root}-other/face.png",
        (tmp_path / "secret.png").as_uri(),
        str(tmp_path / "app/temp/face.png"),
        "http://127.0.0.1:1/temp/face.png",
    ):
        with pytest.raises(PictureNotAllowed):
            fetch_picture(reference, store, DOCUMENT)


def test_a_picture_that_such_a_store_has_no_more_is_not_found(store: ImageStore) -> None:
    with pytest.raises(PictureNotFound, match="no picture 'temp/gone"):
        fetch_picture(reference_of("temp/gone.png", store.roots), store, DOCUMENT)


def test_of_such_a_picture_no_copy_is_kept(store: ImageStore, tmp_path: Path) -> None:
    reference = reference_of("temp/face.png", store.roots)
    picture = fetch_picture(reference, store)

    assert input_address(reference, picture, store, datetime(2026, 11, 1, tzinfo=UTC)) == reference
    assert not (tmp_path / "images").exists()


def test_a_folder_of_such_a_store_lists_references_to_its_pictures(store: ImageStore) -> None:
    found = pictures_in(f"{store.roots['local']}/temp", store)

    assert found == [f"{store.roots['local']}/temp/face.png"]
    assert fetch_picture(found[0], store, DOCUMENT).width == 3


def test_what_the_main_store_wrote_is_read_there(store: ImageStore) -> None:
    stored = store.put(png(), Category.SOURCE, "png", datetime(2026, 11, 1, tzinfo=UTC))

    assert fetch_picture(reference_of(stored.path, store.roots), store, DOCUMENT).width == 3
