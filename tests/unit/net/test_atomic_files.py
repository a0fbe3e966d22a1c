"""Files that are whole or absent, and one holder of a lock at a time."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from storycanvas.net.atomic_files import (
    AS_UMASK,
    PRIVATE,
    LockHeld,
    exclusive_lock,
    part_file,
    write_atomically,
)


@pytest.fixture(autouse=True)
def _umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.mark.parametrize("durable", [True, False])
@pytest.mark.parametrize("before", [None, b"older and longer"])
@pytest.mark.parametrize(
    ("mode", "permissions"), [(PRIVATE, 0o600), (AS_UMASK, 0o644), (0o400, 0o400)]
)
def test_a_file_is_written_whole_with_its_permissions(
    tmp_path: Path, before: bytes | None, mode: int, permissions: int, *, durable: bool
) -> None:
    target = tmp_path / "file"
    if before is not None:
        target.write_bytes(before)

    write_atomically(target, b"new", mode, durable=durable)

    assert target.read_bytes() == b"new"
    assert target.stat().st_mode & 0o777 == permissions
    assert list(tmp_path.iterdir()) == [target]


def test_a_reader_keeps_the_file_that_it_opened(tmp_path: Path) -> None:
    target = tmp_path / "file"
    target.write_bytes(b"old")
    with target.open("rb") as reader:
        write_atomically(target, b"new")

        assert reader.read() == b"old"


def test_a_write_that_fails_leaves_the_older_file_and_no_part(tmp_path: Path) -> None:
    target = tmp_path / "file"
    target.write_bytes(b"old")

    with pytest.raises(OSError, match="disk"), part_file(tmp_path) as part:  # noqa: PT012
        part.write(b"half of it")
        raise OSError("the disk is full")

    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("target", ["missing/file", "folder"])
def test_a_target_that_cannot_be_written_is_an_error_and_leaves_no_part(
    tmp_path: Path, target: str
) -> None:
    (tmp_path / "folder").mkdir()

    with pytest.raises(OSError, match=r"missing|folder"):
        write_atomically(tmp_path / target, b"new")

    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


HOLDER = """
import sys
from pathlib import Path
from storycanvas.net.atomic_files import exclusive_lock
with exclusive_lock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.mark.parametrize("end", ["leaves", "is killed"])
def test_a_lock_has_one_holder_until_its_process_ends(tmp_path: Path, end: str) -> None:
    path = tmp_path / "lock"
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdin
        assert holder.stdout
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(LockHeld, match="in use"), exclusive_lock(path, "in use"):
            pass

        holder.stdin.close() if end == "leaves" else holder.kill()
        with exclusive_lock(path):
            pass
