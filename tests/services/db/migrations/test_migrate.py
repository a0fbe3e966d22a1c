"""Migrations are applied, verified and recorded; a failed run can be continued or undone."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from pymongo import MongoClient

from db import errors
from db.migrations.engine.check import MigrationReport
from db.migrations.engine.migration import Migration, load_migrations
from db.migrations.engine.migrator import PASSES, Migrator
from db.migrations.engine.work import Work
from tests.support.db.database_state import documents
from tests.support.db.fixtures import as_user
from tests.support.db.made_migrations import (
    LEFT,
    NOTES,
    Cause,
    Data,
    adds_field,
    breaks_half_way,
    cannot_be_undone,
    made,
    never_ends,
)
from tests.support.db.migrating import statuses

FULL_DISK = "the disk is full"
TWO_NOTES: list[dict[str, Any]] = [{"_id": 1}, {"_id": 2, "added_1": "own"}]
NO_SERVER = "mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=100"


def migrator(database: Data, *migrations: Migration) -> Migrator:
    return Migrator(database, "an operator", migrations)


def record(database: Data, number: int = 1) -> dict[str, Any]:
    found = database["migrations"].find_one({"_id": number})
    assert found
    return found


def moves_of(report: MigrationReport) -> list[tuple[int, str, dict[str, int]]]:
    return [(move.number, move.direction, move.counts) for move in report.moves]


def fail(runs: Migrator, cause: Cause, target: str = "latest") -> None:
    """Let a run fail because the disk is full, then remove the cause."""
    cause.reason = FULL_DISK
    with pytest.raises(errors.MigrationFailed):
        runs.apply(target)
    cause.reason = ""


def notes(database: Data) -> list[dict[str, Any]]:
    return list(database[NOTES].find().sort("_id"))


@pytest.fixture
def with_notes(database: Data) -> Data:
    """A database with two notes, the second of which has the field of migration 1."""
    database[NOTES].insert_many(TWO_NOTES)
    return database


@pytest.fixture
def filled(database: Data) -> Data:
    """A database with two empty notes."""
    database[NOTES].insert_many([{"_id": 1}, {"_id": 2}])
    return database


def test_a_migration_is_applied_and_its_record_is_complete(any_database: Data) -> None:
    any_database[NOTES].insert_many(TWO_NOTES)

    report = migrator(any_database, adds_field(1)).apply("latest")

    found = record(any_database)
    assert [note["added_1"] for note in notes(any_database)] == [1, "own"]
    assert moves_of(report) == [(1, "up", {"notes.added_1": 1})]
    assert found.pop("started_at") <= found.pop("finished_at")
    assert found.pop("seconds") == report.moves[0].seconds
    assert found == {
        "_id": 1,
        "name": "made_1",
        "checksum": "checksum 1",
        "status": "applied",
        "run_by": "an operator",
        "error": None,
        "counts": {"notes.added_1": 1},
    }


def test_a_second_run_does_nothing_and_a_downgrade_is_exact_and_repeatable(
    with_notes: Data,
) -> None:
    runs = migrator(with_notes, adds_field(1), adds_field(2))
    original = notes(with_notes)
    runs.apply("latest")
    after = notes(with_notes)
    before = documents(with_notes)

    assert runs.apply("latest").moves == ()
    assert documents(with_notes) == before
    report = runs.apply("0")

    assert notes(with_notes) == original
    assert moves_of(report) == [
        (2, "down", {"notes.added_2": 2}),
        (1, "down", {"notes.added_1": 1}),
    ]
    assert statuses(with_notes) == {1: "reverted", 2: "reverted"}
    runs.apply("latest")
    assert notes(with_notes) == after
    assert statuses(with_notes) == {1: "applied", 2: "applied"}


def test_a_migration_that_raises_half_way_is_recorded_with_its_reason(with_notes: Data) -> None:
    breaks = breaks_half_way(2, Cause(FULL_DISK))

    with pytest.raises(errors.MigrationFailed) as error:
        migrator(with_notes, adds_field(1), breaks, adds_field(3)).apply("latest")

    assert str(error.value) == (
        "Migration 2 (made_2) ended half way (RuntimeError: the disk is full); what it has done is "
        "kept, and the next run goes on from there."
    )
    assert statuses(with_notes) == {1: "applied", 2: "failed"}
    assert record(with_notes, 2)["error"] == "RuntimeError: the disk is full"
    assert record(with_notes, 2)["seconds"] >= 0
    assert with_notes["locks"].count_documents({}) == 0
    assert [sorted(note) for note in notes(with_notes)] == [
        ["_id", "added_1", "first_2", "migration_undo"]
    ] * 2


def test_a_refusal_by_the_server_is_recorded_in_a_sentence(filled: Data) -> None:
    refused = made(1, lambda work: work.update(NOTES, {}, [{"$set": {"_id": 3}}]))

    with pytest.raises(errors.OperationRefused, match="MongoDB refused: error 66") as error:
        migrator(filled, refused).apply("latest")

    assert record(filled)["error"] == f"OperationRefused: {error.value}"
    assert filled["locks"].count_documents({}) == 0


def test_a_failed_migration_is_finished_by_the_next_run_or_undone(with_notes: Data) -> None:
    before, cause = notes(with_notes), Cause()
    runs = migrator(with_notes, breaks_half_way(1, cause), adds_field(2))
    fail(runs, cause)
    runs.apply("0")
    assert notes(with_notes) == before
    assert statuses(with_notes) == {1: "reverted"}
    fail(runs, cause)

    report = runs.apply("latest")

    assert moves_of(report) == [
        (1, "up", {"notes.first_1": 2, "notes.second_1": 2}),
        (2, "up", {"notes.added_2": 2}),
    ]
    assert statuses(with_notes) == {1: "applied", 2: "applied"}
    assert record(with_notes)["error"] is None
    assert record(with_notes)["counts"] == {"notes.first_1": 2, "notes.second_1": 2}


@pytest.mark.parametrize("target", ["0", "latest"])
def test_a_failed_downgrade_is_finished_or_taken_back(filled: Data, target: str) -> None:
    cause = Cause()
    runs = migrator(filled, breaks_half_way(1, cause))
    states = {"0": notes(filled)}
    runs.apply("latest")
    states["latest"] = notes(filled)
    fail(runs, cause, "0")
    assert statuses(filled) == {1: "failed"}

    runs.apply(target)

    assert notes(filled) == states[target]


@pytest.mark.parametrize("status", ["running", "reverting"])
def test_a_migration_that_was_killed_is_finished_by_the_next_run(filled: Data, status: str) -> None:
    runs = migrator(filled, adds_field(1))
    runs.apply("latest")
    after = notes(filled)
    filled[NOTES].update_one({"_id": 1}, {"$unset": {"added_1": 1, "migration_undo": 1}})
    filled["migrations"].update_one({}, {"$set": {"status": status}})

    runs.apply("latest")

    assert notes(filled) == after
    assert statuses(filled) == {1: "applied"}


def test_the_first_remembered_value_survives_a_failed_try_until_the_undoing(filled: Data) -> None:
    cause = Cause()
    runs = migrator(filled, breaks_half_way(1, cause))
    fail(runs, cause)

    runs.apply("latest")
    assert record(filled)["remembered"] == {"try": FULL_DISK}
    runs.apply("0")
    assert "remembered" not in record(filled)


def test_a_downgrade_receives_what_was_remembered(filled: Data) -> None:
    given: list[dict[str, Any]] = []
    runs = migrator(
        filled,
        made(
            1,
            lambda work: work.remember("old", [1, {"a": None}]),
            down=lambda work: given.append(work.remembered),
        ),
    )
    runs.apply("1")
    runs.apply("0")

    assert given == [{"old": [1, {"a": None}]}]


@pytest.mark.parametrize("target", ["latest", "0"])
def test_a_migration_that_never_ends_names_what_is_left(filled: Data, target: str) -> None:
    tries: list[int] = []
    runs = migrator(filled, never_ends(1, tries))
    if target == "0":
        migrator(filled, made(1)).apply("latest")

    with pytest.raises(errors.MigrationFailed, match=r"left documents: notes\.old 2; run it"):
        runs.apply(target)

    assert len(tries) == PASSES
    assert statuses(filled) == {1: "failed"}


def test_old_documents_written_meanwhile_are_changed_by_another_pass(filled: Data) -> None:
    adds, late = adds_field(1), [{"_id": 3}]

    def up(work: Work) -> None:
        adds.up(work)
        if late:
            work.database[NOTES].insert_one(late.pop())

    migrator(filled, made(1, up, adds.check)).apply("latest")

    assert [note["added_1"] for note in notes(filled)] == [1, 1, 1]


def test_a_downgrade_past_an_irreversible_migration_is_refused_before_it_begins(
    filled: Data,
) -> None:
    runs = migrator(filled, adds_field(1), cannot_be_undone(2), adds_field(3))
    runs.apply("latest")
    before = documents(filled)

    with pytest.raises(errors.MigrationNotReversible, match="the lowest target is 2"):
        runs.apply("1")

    assert documents(filled) == before


def test_a_changed_file_of_an_applied_migration_stops_every_run(filled: Data) -> None:
    runs = migrator(filled, adds_field(1))
    runs.apply("latest")
    filled["migrations"].update_one({}, {"$set": {"checksum": "of another file"}})
    before = documents(filled)

    for run in (runs.dry_run, runs.apply):
        with pytest.raises(errors.MigrationChanged):
            run("0")
        with pytest.raises(errors.MigrationChanged):
            run("1", repeat=True)

    assert documents(filled) == before


def test_a_database_that_the_former_release_migrated_is_accepted(database: Data) -> None:
    runs = Migrator(database, "a test", load_migrations())
    runs.apply("latest")
    reworded = [migration for migration in load_migrations() if migration.former_checksums]
    for migration in reworded:
        former = {"checksum": migration.former_checksums[0]}
        database["migrations"].update_one({"_id": migration.number}, {"$set": former})

    assert {migration.number for migration in reworded} >= {1, 2, 3, 4, 5}
    assert runs.pending() == ()
    assert runs.apply("latest").moves == ()
    assert len(runs.apply("0").moves) == len(load_migrations())


def test_an_unknown_target_is_refused_and_nothing_is_written(database: Data) -> None:
    for run in (migrator(database).dry_run, migrator(database).apply):
        with pytest.raises(errors.UnknownMigration, match="There is no migration '1'"):
            run("1")

    assert database.list_collection_names() == []


@pytest.mark.parametrize("target", ["latest", "0"])
def test_a_dry_run_reports_what_a_run_does_and_writes_nothing(
    with_notes: Data, target: str
) -> None:
    runs = migrator(with_notes, adds_field(1), breaks_half_way(2, Cause()))
    if target == "0":
        runs.apply("latest")
    before = documents(with_notes)

    report = runs.dry_run(target)

    assert documents(with_notes) == before
    assert report.dry_run
    assert moves_of(report) == moves_of(runs.apply(target))


def test_a_dry_run_lists_applied_and_pending_migrations(filled: Data) -> None:
    runs = migrator(filled, adds_field(1), adds_field(2), adds_field(3))
    runs.apply("1")
    runs.apply("2")
    runs.apply("1")
    before = documents(filled)

    assert [record.number for record in runs.applied()] == [1]
    assert [(move.migration.number, move.direction) for move in runs.pending()] == [
        (2, "up"),
        (3, "up"),
    ]
    lines = [*runs.dry_run("latest").lines()]

    assert lines[0].startswith("Migration 1 (made_1) was applied at ")
    assert lines[0].endswith(" UTC by an operator.")
    assert lines[1:] == [
        "Migration 2 (made_2) would be applied: notes.added_2 2.",
        "Migration 3 (made_3) would be applied: notes.added_3 2.",
    ]
    assert documents(filled) == before


def test_all_migrations_leave_an_empty_database_without_collections(database: Data) -> None:
    runs = Migrator(database, "an operator", load_migrations())

    assert len(runs.dry_run("latest").moves) == len(load_migrations())
    runs.dry_run("1", repeat=True)
    assert database.list_collection_names() == []
    runs.apply("latest")
    assert {*database.list_collection_names()} <= {"migrations", "locks"}


def test_the_report_lists_what_is_left_to_a_person(filled: Data) -> None:
    runs = migrator(filled, adds_field(1), breaks_half_way(2, Cause()))

    assert [move.unresolved for move in runs.dry_run("latest").moves] == [(), (LEFT,)]
    assert [move.unresolved for move in runs.apply("latest").moves] == [(), (LEFT,)]


def test_an_applied_migration_can_be_repeated_for_documents_that_came_since(filled: Data) -> None:
    runs = migrator(filled, adds_field(1), adds_field(2))
    runs.apply("1")
    filled[NOTES].insert_one({"_id": 3})
    assert moves_of(runs.dry_run("1", repeat=True)) == [(1, "up", {"notes.added_1": 1})]

    report = runs.apply("1", repeat=True)

    assert [note["added_1"] for note in notes(filled)] == [1, 1, 1]
    assert moves_of(report) == [(1, "up", {"notes.added_1": 1})]
    assert record(filled)["counts"] == {"notes.added_1": 3}
    assert statuses(filled) == {1: "applied"}


def repeatable(number: int) -> Migration:
    return replace(adds_field(number), repeatable=True)


def test_going_to_latest_mends_what_came_since_with_the_repeatable_migrations(
    any_database: Data,
) -> None:
    filled = any_database
    filled[NOTES].insert_many([{"_id": 1}, {"_id": 2}])
    runs = migrator(filled, repeatable(1), adds_field(2), repeatable(3))
    runs.apply("latest")
    assert runs.apply("latest").moves == ()
    filled[NOTES].insert_one({"_id": 3, "added_3": "own"})
    before = documents(filled)

    counted = runs.dry_run("latest")
    assert documents(filled) == before
    mended = runs.apply("latest")

    assert moves_of(counted) == moves_of(mended) == [(1, "up", {"notes.added_1": 1})]
    assert "would be applied to documents written since: notes.added_1 1" in "".join(
        counted.lines()
    )
    assert mended.summary().endswith("migrations were carried out to latest: 1 again.")
    assert filled[NOTES].find_one({"_id": 3}, {"migration_undo": 0}) == {
        "_id": 3,
        "added_3": "own",
        "added_1": 1,
    }
    assert statuses(filled) == {1: "applied", 2: "applied", 3: "applied"}
    assert runs.dry_run("3").moves == runs.apply("latest").moves == ()


def test_accepted_migrations_lose_their_notes_and_cannot_be_undone(any_database: Data) -> None:
    filled = any_database
    filled[NOTES].insert_many([{"_id": 1}, {"_id": 2, "added_1": "own"}])
    runs = migrator(filled, repeatable(1), adds_field(2), adds_field(3))
    runs.apply("1")
    before = documents(filled)

    counted = runs.dry_run("1", accept=True)
    assert documents(filled) == before
    accepted = runs.apply("2", accept=True)

    assert (counted.accepted, counted.lowest) == ({NOTES: 1}, 1)
    assert (accepted.accepted, accepted.lowest) == ({NOTES: 2}, 2)
    assert accepted.summary().endswith("removed from 2 documents; going down ends at 2.")
    assert notes(filled) == [
        {"_id": 1, "added_1": 1, "added_2": 2},
        {"_id": 2, "added_1": "own", "added_2": 2},
    ]
    after = notes(filled)
    runs.apply("latest")
    runs.apply("2")
    assert notes(filled) == after
    with pytest.raises(errors.MigrationNotReversible, match=r"\(its undo notes were removed\)"):
        runs.apply("1")
    filled[NOTES].insert_one({"_id": 3})
    assert moves_of(runs.apply("latest"))[1:] == [(1, "up", {"notes.added_1": 1})]
    assert runs.apply("latest", accept=True).accepted == {NOTES: 3}


def test_progress_is_reported_to_the_end(filled: Data) -> None:
    reported: list[tuple[str, int, int]] = []

    Migrator(
        filled, "an operator", [adds_field(1)], lambda *progress: reported.append(progress)
    ).apply("latest")

    assert reported[-1] == (NOTES, 2, 2)


def test_a_missing_server_ends_a_run_in_a_sentence() -> None:
    client: MongoClient[dict[str, Any]] = MongoClient(NO_SERVER)

    with client, pytest.raises(errors.DatabaseUnreachable, match=r"^MongoDB does not answer \("):
        migrator(client["story"], adds_field(1)).apply("latest")


@pytest.fixture
def users(guarded_url: str) -> Iterator[dict[str, Data]]:
    """A database with two notes as its users see it, on a server with authentication."""
    names = ("root", "app", "viewer", "stranger")
    opened = {name: as_user(guarded_url, name) for name in names}
    opened["root"][NOTES].insert_many([{"_id": 1}, {"_id": 2}])
    yield opened
    for database in opened.values():
        database.client.close()


def test_missing_rights_end_a_run_in_a_sentence(users: dict[str, Data]) -> None:
    before = documents(users["root"])

    for name in ("viewer", "stranger"):
        with pytest.raises(
            errors.DatabaseRefused, match=r"^MongoDB refuses this user \(error 13\)"
        ):
            migrator(users[name], adds_field(1)).apply("1")

    assert migrator(users["viewer"], adds_field(1)).dry_run("1").moves
    assert documents(users["root"]) == before


def test_missing_rights_can_be_granted_and_the_run_repeated(
    users: dict[str, Data],
) -> None:
    root, app = users["root"], users["app"]
    with pytest.raises(errors.DatabaseRefused, match="refuses this user"):
        migrator(app, adds_field(1)).apply("1")
    assert record(root)["error"].startswith("DatabaseRefused: MongoDB refuses this user")
    more = [{"role": "dbAdmin", "db": "story"}]
    root.client["admin"].command("grantRolesToUser", "app", roles=more)

    migrator(app, adds_field(1)).apply("1")

    assert statuses(root) == {1: "applied"}
    assert [note["added_1"] for note in notes(root)] == [1, 1]


def test_a_record_that_no_migration_has_written_is_named(database: Data) -> None:
    database["migrations"].insert_one({"_id": 1, "name": "mine"})

    with pytest.raises(errors.BrokenMigrationRecord, match=r"The record 1 .* cannot be read"):
        migrator(database, adds_field(1)).apply("latest")
