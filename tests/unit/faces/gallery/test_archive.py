"""The archive of a run: each picture once, readable names, all settings, the same bytes."""

import io
import json
from datetime import UTC, datetime
from pathlib import Path
from zipfile import ZipFile

import pytest

from storycanvas.faces.errors import PictureNotFound
from storycanvas.faces.gallery.archive import (
    SETTINGS,
    ArchivedPicture,
    file_names,
    settings_json,
    write_archive,
)
from storycanvas.faces.pictures.image_store import Category, ImageStore

NOVEMBER = datetime(2026, 11, 21, tzinfo=UTC)
NAMES = ["age 45", "../../etc/passwd", "age 45", "日本", "C:\\a", "x" * 300]


@pytest.fixture
def store(tmp_path: Path) -> ImageStore:
    return ImageStore((tmp_path / "images").as_uri())


def pictures(store: ImageStore) -> list[ArchivedPicture]:
    found = []
    for number, name in enumerate(NAMES):
        path = store.put(f"picture {number}".encode(), Category.RESULT, "png", NOVEMBER).path
        found.append(ArchivedPicture(name, path, {"parameters": {"target_age": number}}))
    return found


def archive_of(store: ImageStore) -> bytes:
    found, file = pictures(store), io.BytesIO()
    write_archive(file, store, settings_json({"flow": "age-progression"}, found), found)
    return file.getvalue()


def test_each_picture_is_in_it_and_the_settings_name_its_file(store: ImageStore) -> None:
    with ZipFile(io.BytesIO(archive_of(store))) as archive:
        told = json.loads(archive.read(SETTINGS))
        contents = {name: archive.read(name) for name in archive.namelist()}
        modes = {entry.external_attr >> 16 for entry in archive.infolist()}

    assert told["flow"] == "age-progression"
    assert [each["step"] for each in told["pictures"]] == NAMES
    for number, each in enumerate(told["pictures"]):
        assert contents[each["file"]] == f"picture {number}".encode()
        assert each["parameters"] == {"target_age": number}
    assert len(contents) == len(NAMES) + 1
    assert modes == {0o644}


def test_no_name_leads_out_of_the_folder_where_it_is_unpacked(store: ImageStore) -> None:
    names = file_names(pictures(store))

    assert names[:3] == ["1-age-45.png", "2-etc-passwd.png", "3-age-45.png"]
    assert len(set(names)) == len(NAMES)
    assert all(set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-.") for name in names)


def test_the_same_run_gives_the_same_bytes_and_they_are_stored_once(store: ImageStore) -> None:
    data = archive_of(store)
    assert archive_of(store) == data

    first = store.put_written(lambda file: file.write(data), Category.REPORT, "zip", NOVEMBER)
    again = store.put_written(lambda file: file.write(data), Category.REPORT, "zip", NOVEMBER)

    assert first == again
    assert store.read(first.path) == data
    assert store.wrote(first.path)
    assert store.size(first.path) == len(data)
    assert store.folder
    assert [*store.folder.rglob("*.part")] == []


def test_a_picture_that_is_lost_leaves_no_archive(store: ImageStore) -> None:
    lost = [ArchivedPicture("lost", f"local/result/2026/11/{'a' * 64}.png", {})]

    with pytest.raises(PictureNotFound):
        store.put_written(
            lambda file: write_archive(file, store, b"{}", lost), Category.REPORT, "zip", NOVEMBER
        )

    assert store.folder
    assert [path for path in store.folder.rglob("*") if path.is_file()] == []
