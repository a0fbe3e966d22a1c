"""A problem that repeats is written once a minute; no line has control characters."""

import io
import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from storycanvas.host import log
from storycanvas.host.log import REPEATS, LogFile, OnceAMinute, PlainFormatter


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def written() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def handler(written: io.StringIO, clock: Clock) -> OnceAMinute:
    handler = OnceAMinute(written, clock)
    handler.setFormatter(PlainFormatter("%(message)s"))
    return handler


def write(
    handler: OnceAMinute, text: str, level: int = logging.ERROR, **attributes: object
) -> None:
    record = logging.LogRecord("host", level, "here", 1, "%s", (text,), None)
    record.__dict__.update(attributes)
    handler.handle(record)


def test_the_same_problem_is_written_once_a_minute_with_its_count(
    handler: OnceAMinute, written: io.StringIO, clock: Clock
) -> None:
    for second in range(121):
        clock.now = second
        write(handler, "no files left")
    handler.close()
    assert written.getvalue().splitlines() == [
        "no files left",
        "no files left (59 more lines like this within a minute)",
        "no files left",
        "no files left (59 more lines like this within a minute)",
        "no files left",
    ]


def test_the_count_is_written_at_the_end_too(handler: OnceAMinute, written: io.StringIO) -> None:
    for _ in range(3):
        write(handler, "no files left")
    handler.close()
    assert written.getvalue().splitlines()[1:] == [
        "no files left (2 more lines like this within a minute)"
    ]


@pytest.mark.parametrize(
    ("write_twice", "lines"),
    [
        (lambda handler: [write(handler, f"problem {number}") for number in (1, 2)], 2),
        (lambda handler: [write(handler, "took 1 s", logging.INFO) for _ in (1, 2)], 2),
        (lambda to: [write(to, "no", logging.INFO, **{REPEATS: True}) for _ in (1, 2)], 1),
    ],
    ids=["other text", "no problem", "marked"],
)  # fmt: skip
def test_only_the_same_problem_is_held_back(
    handler: OnceAMinute, written: io.StringIO,
    write_twice: Callable[[OnceAMinute], object], lines: int,
) -> None:  # fmt: skip
    write_twice(handler)
    assert len(written.getvalue().splitlines()) == lines


def test_ever_new_problems_take_no_memory_without_end(handler: OnceAMinute) -> None:
    for number in range(2000):
        write(handler, f"problem {number}")
    assert len(handler._told) <= 501  # noqa: SLF001 - nothing else shows it


def test_colours_and_control_characters_are_left_out(
    handler: OnceAMinute, written: io.StringIO
) -> None:
    write(handler, "\x1b[31m[FACEFUSION]\x1b[0m no\x08 \x1b[2K\r weights\n\tat line 1")
    assert written.getvalue() == "[FACEFUSION] no  weights\n\tat line 1\n"


def test_a_log_on_a_full_disk_stops_no_request() -> None:
    with io.TextIOWrapper(io.FileIO("/dev/full", "w"), write_through=True) as full:
        handler = OnceAMinute(full)
        for number in range(3):
            write(handler, f"line {number}")
        handler.close()


def test_a_log_file_is_renamed_before_it_is_too_large_and_five_older_ones_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log, "FILE_BYTES", 1000)
    handler = LogFile(tmp_path / "host.log")
    handler.setFormatter(PlainFormatter("%(message)s"))
    for number in range(100):
        write(handler, f"{number:099}", logging.INFO)
    write(handler, "the same")
    write(handler, "the same")
    handler.close()

    files = {path.name: path.read_text().splitlines() for path in tmp_path.iterdir()}
    assert sorted(files) == ["host.log", *(f"host.log.{number}" for number in range(1, 6))]
    assert max(sum(len(line) + 1 for line in lines) for lines in files.values()) <= 1000
    assert files["host.log"][-2:] == [
        "the same",
        "the same (1 more line like this within a minute)",
    ]
    assert int(files["host.log.1"][-1]) + 1 == int(files["host.log"][0])
