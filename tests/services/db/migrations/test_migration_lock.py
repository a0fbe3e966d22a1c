"""One run migrates at a time, and a run that was killed or lost its lock stops no other run."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from threading import Barrier, Event
from typing import Any

import pytest

from db.connection import connect
from db.errors import MigrationFailed, MigrationLockLost, MigrationRunning
from db.migrations.engine.check import MigrationReport
from db.migrations.engine.lock import NAME, LockRepository, migration_lock
from db.migrations.engine.migration import Migration, Step
from db.migrations.engine.migrator import Migrator
from db.migrations.engine.work import Work
from tests.support.db.made_migrations import NOTES, Data, adds_field, do_nothing, made

TIMEOUT_SECONDS = 30.0
LEASE = timedelta(seconds=3)
SHORT = timedelta(seconds=0.5)
STOLEN = {"token": "other", "holder": "another run"}
TAKER: dict[str, Any] = {
    "run_by": "another run",
    "started_at": datetime(2026, 1, 1, tzinfo=UTC),
    "status": "applied",
}


def wait_until(condition: Callable[[], bool]) -> None:
    last = time.monotonic() + TIMEOUT_SECONDS
    while not condition():
        assert time.monotonic() < last
        time.sleep(0.01)


def lock_of(database: Data) -> dict[str, Any]:
    return database["locks"].find_one({"_id": NAME}) or {}


def run(database: Data, migration: Migration, lease: timedelta = LEASE) -> MigrationReport:
    return Migrator(database, "first run", [migration], lease=lease).apply("latest")


@contextmanager
def at_work(database: Data, finish: Step = do_nothing) -> Iterator[Future[MigrationReport]]:
    """Hold a run inside its migration until the end of the block."""
    entered, leave = Event(), Event()

    def up(work: Work) -> None:
        entered.set()
        assert leave.wait(TIMEOUT_SECONDS)
        finish(work)

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(run, database, made(1, up))
        try:
            assert entered.wait(TIMEOUT_SECONDS)
            yield first
        finally:
            leave.set()


def leave_lock(database: Data, milliseconds: int) -> datetime:
    """Write the lock of a killed run, which expires that long after the server's now."""
    ends = {"$dateAdd": {"startDate": "$$NOW", "unit": "millisecond", "amount": milliseconds}}
    left = {"token": "of the dead", "holder": "a dead run", "since": "$$NOW", "expires_at": ends}
    database["locks"].update_one({"_id": NAME}, [{"$set": left}], upsert=True)
    expires: datetime = lock_of(database)["expires_at"]
    return expires


def lose_lock(work: Work) -> None:
    """Give the lock to another run, and wait until this run knows."""
    work.database["locks"].update_one({"_id": NAME}, {"$set": STOLEN})

    def is_known() -> bool:
        try:
            work.ensure_held()
        except MigrationLockLost:
            return True
        return False

    wait_until(is_known)


def test_a_second_run_is_refused_with_the_holder_and_the_time(
    database: Data, standalone_url: str
) -> None:
    other = connect(standalone_url, database.name)

    with at_work(database) as first:
        since = lock_of(database)["since"]
        with pytest.raises(MigrationRunning) as refused:
            Migrator(other, "second run", [made(1)], lease=LEASE).apply("latest")

    assert str(refused.value) == (
        f"first run migrates this database since {since:%Y-%m-%d %H:%M:%S} UTC; "
        "wait until it has ended, then run this again."
    )
    assert [move.direction for move in first.result().moves] == ["up"]
    record = other["migrations"].find_one({"_id": 1}) or {}
    assert (record["run_by"], record["status"]) == ("first run", "applied")
    other.client.close()


def test_a_dry_run_waits_for_no_lock(database: Data) -> None:
    with at_work(database):
        report = Migrator(database, "second run", [made(1)]).dry_run("latest")

    assert [move.direction for move in report.moves] == ["up"]


def fail(_work: Work) -> None:
    raise RuntimeError("made to fail")


@pytest.mark.parametrize("finish", [do_nothing, fail])
def test_the_lock_is_released_however_the_run_ends(database: Data, finish: Step) -> None:
    with at_work(database, finish) as first:
        assert lock_of(database)["holder"] == "first run"

    assert isinstance(first.exception(), MigrationFailed) == (finish is fail)
    assert lock_of(database) == {}


def test_the_lock_of_a_killed_run_is_taken_over_after_its_lease(database: Data) -> None:
    held: list[dict[str, Any]] = []
    for milliseconds in (-1, 500):
        expires = leave_lock(database, milliseconds)

        migration = made(1, lambda work: held.append(lock_of(work.database)))
        Migrator(database, "next run", [migration], lease=LEASE).apply("1", repeat=True)

        assert held[-1]["holder"] == "next run"
        assert held[-1]["since"] > expires
        assert lock_of(database) == {}


def test_a_broken_lock_document_stops_no_run(database: Data) -> None:
    database["locks"].insert_one({"_id": NAME, "expires_at": "2099-01-01"})

    run(database, adds_field(1))

    assert lock_of(database) == {}


def test_a_lock_is_renewed_while_it_is_held(database: Data) -> None:
    with migration_lock(LockRepository(database), "first run", SHORT) as lock:
        taken = lock_of(database)
        wait_until(lambda: lock_of(database)["expires_at"] > taken["expires_at"] + SHORT)

        lock.ensure_held()
        assert lock_of(database) | {"expires_at": None} == taken | {"expires_at": None}


def test_a_run_that_lost_its_lock_begins_no_further_range(database: Data) -> None:
    database[NOTES].insert_one({"_id": 1})

    def up(work: Work) -> None:
        lose_lock(work)
        work.update(NOTES, {}, [{"$set": {"touched": True}}])

    with pytest.raises(MigrationLockLost, match="another run may have taken over; run it again"):
        run(database, made(1, up), SHORT)

    assert database[NOTES].find_one() == {"_id": 1}


def test_a_run_that_lost_its_lock_begins_no_further_migration(database: Data) -> None:
    database[NOTES].insert_one({"_id": 1})
    runs = Migrator(database, "first run", [made(1, lose_lock), adds_field(2)], lease=SHORT)

    with pytest.raises(MigrationLockLost):
        runs.apply("latest")

    assert database[NOTES].find_one() == {"_id": 1}
    [record] = database["migrations"].find()
    assert (record["_id"], record["status"]) == (1, "failed")
    assert record["error"].startswith("MigrationLockLost: This run could not renew its lock")


def test_a_run_that_lost_its_lock_leaves_lock_and_record_to_its_successor(database: Data) -> None:
    def up(work: Work) -> None:
        work.database["migrations"].update_one({"_id": 1}, {"$set": TAKER})
        lose_lock(work)

    with pytest.raises(MigrationLockLost):
        run(database, made(1, up), SHORT)

    record = database["migrations"].find_one({"_id": 1}) or {}
    assert record | TAKER | {"error": None} == record
    assert lock_of(database) | STOLEN == lock_of(database)


@pytest.mark.parametrize("holder", ["an operator", "$token", "$$NOW on a host"])
def test_the_name_of_the_holder_is_stored_literally(database: Data, holder: str) -> None:
    with migration_lock(LockRepository(database), holder):
        assert lock_of(database)["holder"] == holder


def test_of_many_runs_at_once_a_single_run_gets_the_lock(any_database: Data) -> None:
    several = 6
    barrier = Barrier(several)

    def take(number: int) -> bool:
        barrier.wait(TIMEOUT_SECONDS)
        token, found = LockRepository(any_database).take(NAME, f"run {number}", LEASE)
        return token == found.token

    with ThreadPoolExecutor(several) as pool:
        assert sorted(pool.map(take, range(several))) == [False] * (several - 1) + [True]
