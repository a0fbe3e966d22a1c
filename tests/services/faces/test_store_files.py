"""Files of an image store are moved whole or not at all, in a folder as in a bucket."""

import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from storycanvas.faces.pictures.image_store import Category, ImageStore
from storycanvas.faces.tidying.decide import StoredFile, trash_path
from storycanvas.faces.tidying.files import StoreFiles
from storycanvas.services.shared import acquire
from tests.support.s3 import S3Server, make_bucket, use_s3

NOVEMBER = datetime(2026, 11, 21, tzinfo=UTC)


@pytest.fixture(scope="module")
def s3_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with acquire(S3Server(), tmp_path_factory.mktemp("s3")) as lease:
        yield lease.url


@pytest.fixture(params=["file", "s3"])
def store(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> ImageStore:
    if request.param == "file":
        return ImageStore((tmp_path / "images").as_uri())
    use_s3(request.getfixturevalue("s3_url"), monkeypatch)
    return ImageStore(f"{make_bucket(tmp_path.name.replace('_', '-').lower())}/images")


def listed(store: ImageStore, path: str) -> StoredFile:
    [found] = [file for file in StoreFiles(store).all() if file.path == path]
    return found


def test_a_file_is_moved_and_moved_back_with_its_bytes(store: ImageStore) -> None:
    path = store.put(b"picture", Category.RESULT, "png", NOVEMBER).path
    files, file = StoreFiles(store), listed(store, path)
    there = trash_path(path, NOVEMBER.date())

    assert (file.bytes, file.category, file.month) == (7, "result", "2026-11")
    assert abs(file.written - datetime.now(UTC)) < timedelta(minutes=5)
    assert files.move(file, there)
    assert not store.holds(path)
    assert store.read(there) == b"picture"
    assert files.head(there, 3) == b"pic"

    assert files.move(listed(store, there), path)
    assert store.read(path) == b"picture"
    files.remove(path)
    assert not store.holds(path)
    files.remove(path)
    assert files.head(path, 3) == b""


def test_what_was_written_since_or_is_gone_stays(store: ImageStore) -> None:
    path = store.put(b"picture", Category.RESULT, "png", NOVEMBER).path
    files, file = StoreFiles(store), listed(store, path)
    earlier = replace(file, written=file.written - timedelta(days=1))

    assert not files.move(earlier, trash_path(path, NOVEMBER.date()))
    assert not files.move(replace(file, path=f"{path}x"), trash_path(path, NOVEMBER.date()))
    assert store.read(path) == b"picture"


def test_bytes_that_are_stored_again_are_young_again(tmp_path: Path) -> None:
    store = ImageStore(tmp_path.as_uri())
    path = store.put(b"picture", Category.RESULT, "png", NOVEMBER).path
    os.utime(tmp_path / path, (1, 1))

    assert store.put(b"picture", Category.RESULT, "png", NOVEMBER).path == path

    assert datetime.now(UTC) - listed(store, path).written < timedelta(minutes=5)


def test_a_link_is_no_file_of_the_store(tmp_path: Path) -> None:
    outside = tmp_path / "outside.png"
    outside.write_bytes(b"outside")
    folder = tmp_path / "images/local/result/2026/11"
    folder.mkdir(parents=True)
    (folder / f"{'a' * 64}.png").symlink_to(outside)
    (tmp_path / "images/local/source").symlink_to(tmp_path)

    assert StoreFiles(ImageStore((tmp_path / "images").as_uri())).all() == []
