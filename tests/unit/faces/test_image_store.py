"""The image store keeps the same bytes once and never shows a half-written picture."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from storycanvas.faces.errors import PictureNotFound, PictureTooLarge
from storycanvas.faces.pictures.image_store import Category, ImageStore

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


def test_any_fsspec_url_is_a_store() -> None:
    store = ImageStore("memory://pictures")
    stored = store.put(b"bytes", Category.SOURCE, "png", NOVEMBER)

    assert stored.path.startswith("memory/source/2026/11/")
    assert store.read(stored.path) == b"bytes"
