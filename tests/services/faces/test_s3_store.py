"""A bucket beside the main store, one that refuses, and a server that knows no conditions."""

import errno
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from deployments.sample import PORTRAIT
from storycanvas.faces.errors import PictureNotAllowed, StoreUnavailable
from storycanvas.faces.pictures.image_store import Category, ImageStore, local_folder
from storycanvas.faces.sources.references import fetch_picture
from storycanvas.faces.sources.storage_paths import read_stores, reference_of
from storycanvas.faces.sources.trust import Trust
from storycanvas.services.shared import acquire
from tests.support.s3 import KEY, SECRET, S3Server, make_bucket, refusing, use_s3

NOVEMBER = datetime(2026, 11, 21, tzinfo=UTC)
DOCUMENT = Trust(())


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with acquire(S3Server(), tmp_path_factory.mktemp("s3")) as lease:
        yield lease.url


@pytest.fixture
def bucket(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    use_s3(server, monkeypatch)
    return make_bucket(tmp_path.name.replace("_", "-").lower())


def test_a_stored_path_of_a_second_store_is_read_in_its_bucket(bucket: str, tmp_path: Path) -> None:
    fsspec.filesystem("s3").pipe_file(f"{bucket}/templates/t.png", PORTRAIT.read_bytes())
    others = {name: ImageStore(url) for name, url in read_stores(f"s3={bucket}").items()}
    store = ImageStore(tmp_path.as_uri(), None, others)

    found = fetch_picture(reference_of("s3/templates/t.png", store.roots), store, DOCUMENT)

    assert found.width > 0
    for other in ("s3://another/t.png", f"{bucket}-2/t.png", f"{bucket}/../another/t.png"):
        with pytest.raises(PictureNotAllowed):
            fetch_picture(other, store, DOCUMENT)


def test_a_bucket_that_refuses_is_named_without_its_credentials(
    bucket: str, server: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    store = ImageStore(bucket)
    path = store.put(b"bytes", Category.RESULT, "png", NOVEMBER).path

    with caplog.at_level(logging.INFO), refusing(server):
        for call in (
            lambda: store.put(b"other", Category.RESULT, "png", NOVEMBER),
            lambda: store.put(b"bytes", Category.RESULT, "png", NOVEMBER),
            lambda: store.holds(path),
            lambda: store.read(path),
            lambda: store.files_in("s3/result"),
        ):
            with pytest.raises(StoreUnavailable, match=f"{bucket} cannot be used: Perm") as refusal:
                call()
            assert KEY not in str(refusal.value)

    said = caplog.text + "".join(capfd.readouterr())
    assert KEY not in said
    assert SECRET not in said
    assert store.read(path) == b"bytes"


def test_a_bucket_that_is_not_there_is_named(bucket: str) -> None:
    with pytest.raises(StoreUnavailable, match="cannot be used: FileNotFoundError"):
        ImageStore(f"{bucket}-none").put(b"bytes", Category.RESULT, "png", NOVEMBER)


class ServerError(Exception):
    """What a bucket's own library raises, with the server's answer."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.response = {"Error": {"Code": code}}


class UnconditionalBucket(MemoryFileSystem):
    protocol = "unconditional"
    store: ClassVar[dict[str, Any]] = {}
    pseudo_dirs: ClassVar[list[str]] = [""]
    code: ClassVar[str] = ""

    def pipe_file(self, path: str, value: bytes, mode: str = "overwrite", **named: object) -> None:
        if mode == "create":
            raise OSError(errno.EINVAL, "no") from ServerError(self.code)
        super().pipe_file(path, value, mode, **named)


@pytest.mark.parametrize("code", ["NotImplemented", "ConditionalRequestConflict"])
def test_a_bucket_whose_server_decides_no_condition_keeps_pictures(
    code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fsspec.register_implementation("unconditional", UnconditionalBucket, clobber=True)
    monkeypatch.setattr(UnconditionalBucket, "code", code)
    store = ImageStore(f"unconditional://{code}")

    first = store.put(b"bytes", Category.RESULT, "png", NOVEMBER)

    assert store.put(b"bytes", Category.SOURCE, "png", NOVEMBER) == first
    assert store.read(first.path) == b"bytes"


def test_another_error_of_a_conditional_write_is_the_stores(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fsspec.register_implementation("unconditional", UnconditionalBucket, clobber=True)
    monkeypatch.setattr(UnconditionalBucket, "code", "SlowDown")

    with pytest.raises(StoreUnavailable, match="cannot be used: OSError"):
        ImageStore("unconditional://slow").put(b"bytes", Category.RESULT, "png", NOVEMBER)


def test_only_a_store_of_this_machine_has_a_folder(tmp_path: Path) -> None:
    assert local_folder(tmp_path.as_uri()) == tmp_path
    assert local_folder("s3://bucket/images") is None
