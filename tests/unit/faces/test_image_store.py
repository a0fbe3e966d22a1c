"""The image store keeps the same bytes once and never shows a half-written picture."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from storycanvas.faces.errors import PictureNotFound, PictureTooLarge
from storycanvas.faces.pictures.image_store import Category, ImageStore, local_folder

NOVEMBER = datetime(2026, 11, 21, tzinfo=UTC)
DECEMBER = datetime(2026, 12, 1, tzinfo=UTC)

OUTSIDE = ["../secret", "/etc/passwd", "local/../../secret", "local/\0", "..\\secret", ".."]


@pytest.fixture
def store(tmp_path: Path) -> ImageStore:
    return ImageStore((tmp_path / "images").as_uri())


def test_the_path_tells_storage_category_year_and_month(store: ImageStore) -> None:
    stored = store.put(b"bytes", Category.RESULT, "png", NOVEMBER)

    storage, category, year, month, name = stored.path.split("/")
    assert (storage, category, year, month) == ("local", "result", "2026", "11")
    assert name.endswith(".png")
    assert store.read(stored.path) == b"bytes"


def test_the_same_bytes_are_stored_once_even_in_another_month(store: ImageStore) -> None:
    first = store.put(b"bytes", Category.RESULT, "png", NOVEMBER)
    again = store.put(b"bytes", Category.RESULT, "png", DECEMBER)

    assert again == first


def test_a_picture_that_was_deleted_is_stored_again(store: ImageStore, tmp_path: Path) -> None:
    first = store.put(b"bytes", Category.RESULT, "png", NOVEMBER)
    (tmp_path / "images" / first.path).unlink()

    again = store.put(b"bytes", Category.RESULT, "png", DECEMBER)

    assert store.read(again.path) == b"bytes"


def test_nothing_half_written_is_left(store: ImageStore, tmp_path: Path) -> None:
    store.put(b"bytes", Category.RESULT, "png", NOVEMBER)

    assert not list((tmp_path / "images").rglob("*.part"))


@pytest.mark.parametrize("path", OUTSIDE)
def test_no_path_leaves_the_store(store: ImageStore, tmp_path: Path, path: str) -> None:
    (tmp_path / "secret").write_bytes(b"secret")

    with pytest.raises(PictureNotFound):
        store.read(path)


def test_a_picture_that_is_too_large_is_not_read(store: ImageStore) -> None:
    stored = store.put(b"bytes", Category.RESULT, "png", NOVEMBER)

    with pytest.raises(PictureTooLarge):
        store.read(stored.path, max_bytes=4)


@pytest.mark.parametrize("base", [None, "http://127.0.0.1:8000/uploads/"])
def test_an_address_leads_back_to_its_path(tmp_path: Path, base: str | None) -> None:
    store = ImageStore(tmp_path.as_uri(), base)
    stored = store.put(b"bytes", Category.RESULT, "png", NOVEMBER)

    assert store.path_of(stored.url) == stored.path
    assert stored.url.startswith("http://127.0.0.1:8000/uploads/local/" if base else "file:///")


@pytest.mark.parametrize("base", [None, "http://127.0.0.1:9003", "https://app.example/uploads"])
@pytest.mark.parametrize("port", [9003, 41234])
def test_an_address_of_loopback_with_an_earlier_port_leads_to_its_path(
    tmp_path: Path, base: str | None, port: int
) -> None:
    store = ImageStore(tmp_path.as_uri(), base)
    path = store.put(b"bytes", Category.RESULT, "png", NOVEMBER).path

    assert store.path_of(f"http://127.0.0.1:{port}/{path}") == path


def test_an_address_that_the_store_did_not_give_leads_nowhere(store: ImageStore) -> None:
    path = store.put(b"bytes", Category.RESULT, "png", NOVEMBER).path
    unknown = path.replace(path.split("/")[-1], f"{'0' * 64}.png")

    for other in (
        f"http://other.example:9003/{path}",
        f"http://127.0.0.1:9003/uploads/{path}",
        f"http://127.0.0.1:9003/{unknown}",
        f"http://name:secret@127.0.0.1:9003/{path}",
        f"http://127.0.0.1:9003/{path}?token=secret",
        f"http://[127.0.0.1/{path}",
        "http://127.0.0.1:9003/",
    ):
        assert store.path_of(other) is None


def test_the_store_knows_what_it_wrote(store: ImageStore, tmp_path: Path) -> None:
    path = store.put(b"bytes", Category.RESULT, "png", NOVEMBER).path
    marker = next((tmp_path / "images/local/by-content").rglob("?" * 64))

    assert store.wrote(path)
    assert not store.wrote(str(marker.relative_to(tmp_path / "images")))
    assert not store.wrote(path.replace(".png", ".svg"))


def test_only_a_store_of_this_machine_has_a_folder(tmp_path: Path) -> None:
    assert local_folder(tmp_path.as_uri()) == tmp_path
    assert local_folder("s3://bucket/images") is None
    assert ImageStore("memory://pictures").folder is None


def test_any_fsspec_url_is_a_store() -> None:
    store = ImageStore("memory://pictures")
    stored = store.put(b"bytes", Category.SOURCE, "png", NOVEMBER)

    assert stored.path.startswith("memory/source/2026/11/")
    assert store.read(stored.path) == b"bytes"
