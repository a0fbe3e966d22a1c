"""The host is killed between two writes; a repeated request gets a complete answer."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.host.pictures import encoded
from tests.support.host.started_host import RECORDING, WAIT_SECONDS, StartHost, calls
from tests.support.host.submitting import submitted, until


def has_output(data: Path) -> bool:
    return any((data / "assets").glob("*.png"))


def writes_result(data: Path) -> bool:
    return any((data / "results").iterdir())


def has_result(data: Path) -> bool:
    return any((data / "results").glob("*.json"))


def as_soon_as(reached: Callable[[Path], bool], data: Path) -> None:
    """Wait without a pause, so that the moment is not missed."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not reached(data):
        assert time.monotonic() < deadline


@pytest.mark.parametrize(
    ("moment", "most_calls"),
    [(has_output, 2), (writes_result, 2), (has_result, 1)],
    ids=["output kept", "result being written", "result kept"],
)
def test_a_kill_between_two_writes_loses_nothing(
    start_host: StartHost, tmp_path: Path, moment: Callable[[Path], bool], most_calls: int
) -> None:
    data, program = tmp_path / "data", (*RECORDING, str(tmp_path))
    host = start_host(program=program)
    picture = host.upload(encoded("JPEG"))  # a PNG file would be the output as it is
    with ThreadPoolExecutor(1) as caller:
        lost = caller.submit(host.enhance, picture)
        as_soon_as(moment, data)
        host.kill()
        lost.exception(timeout=WAIT_SECONDS)
    again = start_host(program=program)
    answer = again.enhance(picture)
    output = again.client.get(f"assets/{answer.json()['output_path']}")
    assert (answer.status_code, output.status_code) == (200, 200)
    assert calls(tmp_path) <= most_calls
    assert list(data.rglob("*.part")) == []


def has_end(data: Path) -> bool:
    return any('"ended":{' in path.read_text() for path in (data / "operations").glob("*.json"))


def writes_end(data: Path) -> bool:
    """Whether a record is written beside that of an operation, or was while nothing looked."""
    return has_output(data) and (any((data / "operations").glob("*.part")) or has_end(data))


@pytest.mark.parametrize(
    ("moment", "most_calls"),
    [(has_output, 2), (writes_end, 2), (has_end, 1)],
    ids=["output kept", "end being written", "end written"],
)
def test_a_kill_after_the_output_costs_a_submitted_operation_a_second_call_at_most(
    start_host: StartHost, tmp_path: Path, moment: Callable[[Path], bool], most_calls: int
) -> None:
    data, program = tmp_path / "data", (*RECORDING, str(tmp_path))
    host = start_host(program=program)
    taken = submitted(host, host.upload(encoded("JPEG")), key="taken")
    as_soon_as(moment, data)
    host.kill()
    again = start_host(program=program)
    done = until(again, taken.id, "succeeded").result
    assert done is not None
    assert again.client.get(f"assets/{done.output_path}").status_code == 200
    assert calls(tmp_path) <= most_calls
    assert list(data.rglob("*.part")) == []


def test_a_restart_removes_what_the_kill_left_half_written(
    start_host: StartHost, tmp_path: Path
) -> None:
    for folder in ("assets", "operations", "results"):
        (tmp_path / "data" / folder).mkdir(parents=True)
        (tmp_path / "data" / folder / "left.part").write_bytes(b"half")
    assert start_host().client.get("status").status_code == 200
    assert list(tmp_path.rglob("*.part")) == []
