"""A migration that is killed at any moment, again and again, ends as one that was left alone."""

import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database

from tests.support.db.fixtures import empty_database
from tests.support.db.migrating import every_migration, migrator, whole, without_now
from tests.support.db.old_database import add_old_database, broken_characters
from tests.support.paths import ROOT

Data = Database[dict[str, Any]]
State = tuple[dict[str, list[bytes]], dict[str, dict[str, Any]]]
COPIES = 6
RANGE = 30
KILLS = 20
TARGETS = ["0", "1", "2", "3", "4", "latest"]


class Killing:
    """The program whose processes are killed.

    Attributes:
        kills: How many were.
        halves: How often the documents were then as they are neither before nor after.
    """

    def __init__(self, program: subprocess.Popen[str], database: Data) -> None:
        self._program, self._database = program, database
        self._random = random.Random(20261121)  # noqa: S311
        self.kills, self.halves = 0, 0

    def go(self, target: str, seconds: float | None = None) -> str:
        """Migrate in one process, which is killed after some seconds."""
        assert self._program.stdin
        assert self._program.stdout
        line = target if seconds is None else f"{target} {seconds}"
        print(line, file=self._program.stdin, flush=True)
        answer = self._program.stdout.readline().strip()
        assert answer.startswith("ended" if seconds is None else ("killed", "ended", "lost"))
        return answer

    def kill(self, target: str, longest: float, *whole_states: State) -> bool:
        """Migrate in one process and kill it at a random moment.

        Returns:
            Whether it was killed before its end.
        """
        answer = self.go(target, self._random.uniform(0, longest))
        if answer != "killed":
            return False
        self.kills += 1
        self.halves += state(self._database) not in whole_states
        return True

    def any_target(self) -> str:
        return self._random.choice(TARGETS)


@contextmanager
def killing(url: str, database: Data) -> Iterator[Killing]:
    command: list[str | Path] = [sys.executable, "-m", "tests.support.db.killed_migration"]
    command += [url, database.name, str(RANGE)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True) as program:
        yield Killing(program, database)


@pytest.fixture
def large(standalone_server: Data) -> Iterator[Data]:
    """A large old database on a server that knows no transactions."""
    with empty_database(standalone_server) as database:
        add_large_database(database)
        yield database


def add_large_database(database: Data) -> None:
    """Store an old database with so many characters that they make many ranges."""
    add_old_database(database)
    for copy in range(COPIES):
        characters = [
            {**character, "_id": f"{copy} {character['_id']}"} for character in broken_characters()
        ]
        database["characters"].insert_many(characters)


@pytest.fixture(scope="module")
def left_alone(standalone_url: str, standalone_server: Data) -> tuple[State, State, float]:
    """What a database holds before and after a run that is not killed, and its seconds."""
    with (
        empty_database(standalone_server) as database,
        killing(standalone_url, database) as process,
    ):
        add_large_database(database)
        start = state(database)
        seconds = float(process.go("latest").removeprefix("ended "))
        return start, state(database), seconds


def state(database: Data) -> State:
    found, made = whole(database)
    return without_now(found), made


def test_kills_on_the_way_up_and_down_change_nothing(
    standalone_url: str, large: Data, left_alone: tuple[State, State, float]
) -> None:
    start, end, seconds = left_alone

    with killing(standalone_url, large) as process:
        for target, expected in [("latest", end), ("0", start)]:
            enough = process.kills + KILLS / 4
            while process.kills < enough and process.kill(target, seconds / 3, start, end):
                pass
            process.go(target)
            assert state(large) == expected

    assert process.halves > 0


def test_kills_on_ways_that_turn_around_change_nothing(
    standalone_url: str, large: Data, left_alone: tuple[State, State, float]
) -> None:
    start, end, seconds = left_alone

    with killing(standalone_url, large) as process:
        while process.kills < KILLS:
            process.kill(process.any_target(), seconds / 3, start, end)
        process.go("latest")
        found = state(large)
        process.go("0")

    assert process.halves >= KILLS / 4
    assert found == end
    assert state(large) == start


def test_an_old_database_goes_up_and_comes_back_as_it_was(any_database: Data) -> None:
    add_old_database(any_database)
    start = whole(any_database)

    migrator(any_database).apply("latest")
    assert all(migration.check(any_database).is_done for migration in every_migration())
    migrator(any_database).apply("0")

    assert whole(any_database) == start


def test_looking_at_an_old_database_writes_nothing(large: Data) -> None:
    start = whole(large), large.list_collection_names()

    told = migrator(large).dry_run("latest")

    assert (whole(large), large.list_collection_names()) == start
    assert [move.number for move in told.moves if sum(move.counts.values())] == [*range(1, 10)]
