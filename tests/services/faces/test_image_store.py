"""The image store keeps the same bytes once, in a folder as in a bucket of a real S3 server."""

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import fsspec
import pytest

from storycanvas.faces.errors import PictureNotFound, PictureTooLarge
from storycanvas.faces.pictures.image_store import Category, ImageStore
from storycanvas.services.shared import acquire
from tests.support.paths import ROOT
from tests.support.s3 import S3Server, make_bucket, use_s3

NOVEMBER = datetime(2026, 11, 21, tzinfo=UTC)
DECEMBER = datetime(2026, 12, 1, tzinfo=UTC)

OUTSIDE = ["../secret", "/etc/passwd", "local/../../secret", "local/\0", "..\\secret", ".."]
PUT = """
import json, sys
from datetime import datetime
from storycanvas.faces.pictures.image_store import Category, ImageStore
store, when = ImageStore(sys.argv[1]), datetime.fromisoformat(sys.argv[2])
print("ready", flush=True)
sys.stdin.readline()
print(json.dumps([store.put(bytes([n]), Category.RESULT, "png", when).path for n in range(20)]))
"""


@pytest.fixture(scope="module")
def s3_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with acquire(S3Server(), tmp_path_factory.mktemp("s3")) as lease:
        yield lease.url


@pytest.fixture(params=["file", "s3"])
def root(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "file":
        return (tmp_path / "images").as_uri()
    use_s3(request.getfixturevalue("s3_url"), monkeypatch)
    return f"{make_bucket(tmp_path.name.replace('_', '-').lower())}/images"


@pytest.fixture
def store(root: str) -> ImageStore:
    return ImageStore(root)


def paths(store: ImageStore) -> list[str]:
    """All paths of a store, markers too."""
    files, root = fsspec.core.url_to_fs(store.url, use_listings_cache=False)
    return [path.removeprefix(f"{root}/") for path in files.find(root)]


def remove(store: ImageStore, path: str) -> None:
    files, root = fsspec.core.url_to_fs(store.url)
    files.rm_file(f"{root}/{path}")


def test_the_path_tells_storage_category_year_and_month(store: ImageStore) -> None:
    stored = store.put(b"bytes", Category.RESULT, "png", NOVEMBER)

    storage, category, year, month, name = stored.path.split("/")
    assert storage == {"file": "local", "s3": "s3"}[store.url.partition("://")[0]]
    assert (category, year, month) == ("result", "2026", "11")
    assert name.endswith(".png")
    assert store.read(stored.path) == b"bytes"
    assert store.holds(stored.path)


def test_the_same_bytes_are_stored_once_even_in_another_month(store: ImageStore) -> None:
    first = store.put(b"bytes", Category.RESULT, "png", NOVEMBER)
    again = store.put(b"bytes", Category.RESULT, "png", DECEMBER)

    assert again == first


@pytest.mark.parametrize("other", [NOVEMBER, DECEMBER])
def test_two_processes_that_store_the_same_bytes_at_the_same_time_store_them_once(
    store: ImageStore, other: datetime
) -> None:
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", PUT, store.url, when.isoformat()],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for when in (NOVEMBER, other)
    ]
    for process in processes:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin
        process.stdin.write("\n")
        process.stdin.flush()
    one, two = (json.loads(process.communicate(timeout=60)[0]) for process in processes)

    assert one == two
    assert sorted(one) == [path for path in paths(store) if "by-content" not in path]


def test_a_copy_that_came_second_is_removed(store: ImageStore) -> None:
    """The other process has stored the bytes after this one has looked for them."""

    class Late(ImageStore):
        asked = 0

        def _known(self, marker: str) -> str | None:
            self.asked += 1
            if self.asked > 1:
                return super()._known(marker)
            store.put(b"bytes", Category.RESULT, "png", NOVEMBER)
            return None

    stored = Late(store.url).put(b"bytes", Category.SOURCE, "png", DECEMBER)

    assert stored == store.put(b"bytes", Category.RESULT, "png", NOVEMBER)
    assert [path for path in paths(store) if "by-content" not in path] == [stored.path]


def test_a_picture_that_was_deleted_is_stored_again(store: ImageStore) -> None:
    first = store.put(b"bytes", Category.RESULT, "png", NOVEMBER)
    remove(store, first.path)

    again = store.put(b"bytes", Category.RESULT, "png", DECEMBER)

    assert store.read(again.path) == b"bytes"
    assert store.wrote(again.path)


def test_what_another_process_has_written_since_is_seen(store: ImageStore, root: str) -> None:
    first = store.put(b"1", Category.RESULT, "png", NOVEMBER)
    folder = first.path.rpartition("/")[0]
    assert store.files_in(folder) == [first.path]

    files, place = fsspec.core.url_to_fs(root, skip_instance_cache=True)
    files.pipe_file(f"{place}/{folder}/second.png", b"2")

    assert store.read(f"{folder}/second.png") == b"2"
    assert sorted(store.files_in(folder)) == sorted([first.path, f"{folder}/second.png"])


def test_nothing_half_written_is_left(store: ImageStore) -> None:
    store.put(b"bytes", Category.RESULT, "png", NOVEMBER)

    assert [path for path in paths(store) if path.endswith(".part")] == []


@pytest.mark.parametrize("path", OUTSIDE)
def test_no_path_leaves_the_store(store: ImageStore, path: str) -> None:
    files, root = fsspec.core.url_to_fs(store.url)
    files.makedirs(root, exist_ok=True)
    files.pipe_file(f"{root.rpartition('/')[0]}/secret", b"secret")

    with pytest.raises(PictureNotFound):
        store.read(path)


def test_a_picture_that_is_too_large_is_not_read(store: ImageStore) -> None:
    stored = store.put(b"bytes", Category.RESULT, "png", NOVEMBER)

    with pytest.raises(PictureTooLarge):
        store.read(stored.path, max_bytes=4)


@pytest.mark.parametrize("base", [None, "http://127.0.0.1:8000/uploads/"])
def test_an_address_leads_back_to_its_path(root: str, base: str | None) -> None:
    store = ImageStore(root, base)
    stored = store.put(b"bytes", Category.RESULT, "png", NOVEMBER)

    assert store.path_of(stored.url) == stored.path
    assert stored.url.startswith("http://127.0.0.1:8000/uploads/" if base else root)


@pytest.mark.parametrize("base", [None, "http://127.0.0.1:9003", "https://app.example/uploads"])
@pytest.mark.parametrize("port", [9003, 41234])
def test_an_address_of_loopback_with_an_earlier_port_leads_to_its_path(
    root: str, base: str | None, port: int
) -> None:
    store = ImageStore(root, base)
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


def test_the_store_knows_what_it_wrote(store: ImageStore) -> None:
    path = store.put(b"bytes", Category.RESULT, "png", NOVEMBER).path
    (marker,) = (found for found in paths(store) if "by-content" in found)

    assert store.wrote(path)
    assert not store.wrote(marker)
    assert not store.wrote(path.replace(".png", ".svg"))


def test_any_fsspec_url_is_a_store() -> None:
    store = ImageStore("memory://pictures")
    stored = store.put(b"bytes", Category.SOURCE, "png", NOVEMBER)

    assert stored.path.startswith("memory/source/2026/11/")
    assert store.read(stored.path) == b"bytes"
    assert store.folder is None
