"""An image store that is full, read-only or away says so in one sentence and leaves no rests."""

import errno
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from storycanvas.faces.errors import PictureNotFound, StoreUnavailable
from storycanvas.faces.pictures.image_store import Category, ImageStore
from storycanvas.faces.pictures.store_access import translated_errors
from tests.support.small_disk import MEGABYTE, fill, make_read_only, small_disk

NOW = datetime(2026, 11, 21, tzinfo=UTC)
PICTURE = bytes(MEGABYTE)


@pytest.fixture
def disk() -> Iterator[Path]:
    with small_disk(20) as folder:
        yield folder


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_a_full_disk_is_named_with_its_reason_and_its_free_bytes(disk: Path) -> None:
    store = ImageStore((disk / "images").as_uri())
    filler = fill(disk, leave=500_000)

    with pytest.raises(StoreUnavailable) as refusal:
        store.put(PICTURE, Category.RESULT, "png", NOW)

    free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
    assert f"The image store {store.url} cannot be used: No space left on device" in str(
        refusal.value
    )
    assert f"{free:,} bytes free; make room there" in str(refusal.value)
    assert files(disk) == [filler]
    filler.unlink()
    assert store.holds(store.put(PICTURE, Category.RESULT, "png", NOW).path)


def test_a_read_only_disk_is_still_read(disk: Path) -> None:
    store = ImageStore((disk / "images").as_uri())
    stored = store.put(PICTURE, Category.RESULT, "png", NOW)
    make_read_only(disk)

    with pytest.raises(StoreUnavailable, match=r"Read-only file system, .* mount it so that"):
        store.put(b"another", Category.RESULT, "png", NOW)
    with pytest.raises(StoreUnavailable, match=r"cannot be written .* no operation is sent"):
        store.require_room(1)

    assert store.put(PICTURE, Category.RESULT, "png", NOW) == stored
    assert store.read(stored.path) == PICTURE


def test_less_room_than_asked_for_is_refused_before_anything_is_written(disk: Path) -> None:
    store = ImageStore((disk / "not" / "there" / "yet").as_uri())

    store.require_room(19)
    with pytest.raises(StoreUnavailable, match=r"less than the 21 MB of STORYCANVAS_STORE_MIN"):
        store.require_room(21)

    assert list(disk.iterdir()) == []


def test_a_folder_above_the_store_that_lets_nobody_in_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(path: Path) -> bool:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    store = ImageStore((tmp_path / "closed" / "images").as_uri())
    monkeypatch.setattr(Path, "exists", refused)

    with pytest.raises(StoreUnavailable, match="Permission denied; let this user write there"):
        store.require_room(1)


@pytest.mark.parametrize(
    ("number", "remedy"),
    [
        (errno.ENOSPC, "make room there"),
        (errno.EDQUOT, "make room there"),
        (errno.EROFS, "mount it so that it can be written"),
        (errno.EACCES, "let this user write there"),
        (errno.EIO, "see whether it is mounted and answers"),
        (errno.ESTALE, "see whether it is mounted and answers"),
    ],
)
def test_each_reason_has_its_remedy(tmp_path: Path, number: int, remedy: str) -> None:
    with (
        pytest.raises(StoreUnavailable, match=remedy) as refusal,
        translated_errors(tmp_path.as_uri(), tmp_path),
    ):
        raise OSError(number, os.strerror(number))

    assert os.strerror(number) in str(refusal.value)
    assert refusal.value.retryable


class RefusedByServiceError(Exception):
    """What a bucket's own library raises; its text may hold a signed address."""


class RefusingBucket(MemoryFileSystem):
    protocol = "refusing"
    store: ClassVar[dict[str, Any]] = {}
    error: ClassVar[Exception] = PermissionError("hunter2: Access Denied")

    def info(self, *_: object, **__: object) -> dict[str, Any]:
        raise self.error

    def pipe_file(self, *_: object, **__: object) -> None:
        raise self.error


@pytest.mark.parametrize(
    "error", [PermissionError("hunter2: Access Denied"), RefusedByServiceError("hunter2")]
)
def test_a_bucket_that_refuses_is_named_without_what_it_said(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    fsspec.register_implementation("refusing", RefusingBucket, clobber=True)
    monkeypatch.setattr(RefusingBucket, "error", error)
    store = ImageStore("refusing://bucket/images")

    for call in (
        lambda: store.put(b"bytes", Category.RESULT, "png", NOW),
        lambda: store.holds("refusing/result/2026/11/a.png"),
        lambda: store.read("refusing/result/2026/11/a.png"),
    ):
        with pytest.raises(StoreUnavailable, match=type(error).__name__) as refusal:
            call()
        assert "hunter2" not in str(refusal.value)
    store.require_room(200)


@pytest.mark.parametrize("path", ["local/none.png", "local/result", "local/" + "x" * 300])
def test_what_is_no_picture_of_the_store_is_still_not_found(tmp_path: Path, path: str) -> None:
    (tmp_path / "local" / "result").mkdir(parents=True)
    store = ImageStore(tmp_path.as_uri())

    assert not store.holds(path)
    with pytest.raises(PictureNotFound):
        store.read(path)
