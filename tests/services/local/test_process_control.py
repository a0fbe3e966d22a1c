import os
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from storycanvas.services.errors import ProgramNotStarted
from storycanvas.services.process import Identity, Program, exit_code, is_running, run, start, stop

SLEEP = "import time; time.sleep(600)"
DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN)"
PARENT = "import subprocess, sys; print(subprocess.Popen([sys.executable, '-c', {!r}]).pid"


def program(code: str, directory: Path) -> Program:
    return Program((sys.executable, "-c", code), directory, dict(os.environ))


def first_line(log: Path) -> str:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if "\n" in log.read_text():
            return log.read_text().splitlines()[0]
        time.sleep(0.02)
    raise AssertionError(f"nothing in {log}")


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log"


@pytest.fixture
def sleeper(tmp_path: Path, log: Path) -> Iterator[Identity]:
    identity = start(program(SLEEP, tmp_path), log)
    yield identity
    stop(identity)


def test_a_process_with_another_create_time_is_never_ended(sleeper: Identity) -> None:
    stranger = replace(sleeper, create_time=sleeper.create_time - 100)

    assert stop(stranger) is False
    assert not is_running(stranger)
    assert is_running(sleeper)


def test_a_program_runs_in_a_session_of_its_own(sleeper: Identity) -> None:
    assert os.getsid(sleeper.pid) == sleeper.pid


def test_stopping_reads_the_exit_code_and_leaves_no_zombie(sleeper: Identity) -> None:
    assert stop(sleeper) is True

    assert exit_code(sleeper) == -15
    assert not psutil.pid_exists(sleeper.pid)
    assert stop(sleeper) is False


def test_a_program_that_does_not_listen_is_forced(tmp_path: Path, log: Path) -> None:
    deaf = start(program(f"{DEAF}; print(flush=True); time.sleep(600)", tmp_path), log)
    first_line(log)

    stop(deaf, grace=0.2)

    assert exit_code(deaf) == -9


@pytest.mark.parametrize("ending", ["time.sleep(600)", "sys.exit()"], ids=["living", "dead"])
def test_children_are_ended_with_their_parent(tmp_path: Path, log: Path, ending: str) -> None:
    code = f"import time; {PARENT.format(SLEEP)}, flush=True); {ending}"
    parent = start(program(code, tmp_path), log)
    child = psutil.Process(int(first_line(log)))

    stop(parent)

    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE


def test_running_to_the_end_gives_the_exit_code(tmp_path: Path, log: Path) -> None:
    assert run(program("raise SystemExit(7)", tmp_path), log, seconds=20) == 7


def test_running_too_long_is_ended(tmp_path: Path, log: Path) -> None:
    assert run(program(SLEEP, tmp_path), log, seconds=0.2) is None


def test_the_log_of_the_start_before_is_kept(tmp_path: Path, log: Path) -> None:
    run(program("print('first')", tmp_path), log, seconds=20)
    run(program("print('second')", tmp_path), log, seconds=20)

    assert log.read_text() == "second\n"
    assert log.with_name("log.1").read_text() == "first\n"


def test_a_program_that_is_not_there_is_named(tmp_path: Path, log: Path) -> None:
    with pytest.raises(ProgramNotStarted, match="nowhere cannot be started"):
        start(Program((str(tmp_path / "nowhere"),), tmp_path, {}), log)
