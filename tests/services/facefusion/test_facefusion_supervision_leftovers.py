"""What a killed host noted of its FaceFusion processes, and what its next start makes of it."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from storycanvas.host.engines.facefusion.process.child import end_leftovers
from tests.support.facefusion.gated_checkout import is_gone


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["sleep", "600"]) as process:
        yield process
        process.kill()


def note(folder: Path, pid: int, content: str) -> Path:
    path = folder / f"{pid}.json"
    path.write_text(content)
    return path


def test_a_process_that_a_killed_host_left_is_ended(
    tmp_path: Path, sleeper: subprocess.Popen[bytes]
) -> None:
    began = psutil.Process(sleeper.pid).create_time()
    path = note(tmp_path, sleeper.pid, f'{{"began": {began}}}')

    assert end_leftovers(tmp_path) == 1
    assert is_gone(sleeper.pid)
    assert not path.exists()


@pytest.mark.parametrize(
    "content",
    ['{"began": 1.0}', '{"began": 0.0}', "{}", "[]", '{"began": null}', "", "\x00"],
    ids=["older", "unknown", "empty", "list", "null", "nothing", "zero"],
)
def test_a_process_that_got_the_number_of_another_is_left_alone(
    tmp_path: Path, sleeper: subprocess.Popen[bytes], content: str
) -> None:
    path = note(tmp_path, sleeper.pid, content)

    assert end_leftovers(tmp_path) == 0
    assert sleeper.poll() is None
    assert not path.exists()


def test_a_note_on_a_process_that_has_ended_is_removed(
    tmp_path: Path, sleeper: subprocess.Popen[bytes]
) -> None:
    note(tmp_path, sleeper.pid, f'{{"began": {psutil.Process(sleeper.pid).create_time()}}}')
    sleeper.kill()
    sleeper.wait()

    assert end_leftovers(tmp_path) == 0
    assert list(tmp_path.iterdir()) == []


def test_a_note_that_was_written_in_half_is_removed(tmp_path: Path) -> None:
    (tmp_path / "half.part").write_bytes(b'{"beg')

    assert end_leftovers(tmp_path) == 0
    assert list(tmp_path.iterdir()) == []
