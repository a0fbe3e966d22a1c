"""Which migrations are applied and undone, for every state of a database and every target."""

from datetime import UTC, datetime
from typing import Any

import pytest

from db.errors import MigrationChanged, MigrationNotReversible, UnknownMigration
from db.migrations.engine.check import Check
from db.migrations.engine.migration import Migration, plan_moves
from db.schema.documents.system import MigrationRecord, MigrationStatus
from tests.support.db.made_migrations import do_nothing

STARTED = datetime(2026, 1, 1, tzinfo=UTC)
NAMES = {1: "fields", 2: "marks", 3: "dates"}
States = dict[int, MigrationStatus]
ALL: States = {1: "applied", 2: "applied", 3: "applied"}


def made(number: int, *, reversible: bool = True) -> Migration:
    name = NAMES[number]
    return Migration(
        number=number,
        name=name,
        description=f"About {name}.",
        checksum=f"checksum of {name}",
        up=do_nothing,
        check=lambda _database: Check(),
        down=do_nothing if reversible else None,
    )


def records(states: States, **changed: Any) -> dict[int, MigrationRecord]:
    return {
        number: MigrationRecord(
            number=number,
            name=NAMES.get(number, "newer"),
            checksum=changed.get("checksum", f"checksum of {NAMES.get(number)}"),
            status=status,
            run_by="an operator",
            started_at=STARTED,
            accepted_at=changed.get("accepted_at"),
        )
        for number, status in states.items()
    }


MIGRATIONS = tuple(made(number) for number in NAMES)


def moves(states: States, target: str) -> str:
    planned = plan_moves(MIGRATIONS, records(states), target)
    return ", ".join(f"{move.migration.number} {move.direction}" for move in planned)


PLANS: list[tuple[States, str, str]] = [
    ({}, "latest", "1 up, 2 up, 3 up"),
    ({}, "3", "1 up, 2 up, 3 up"),
    ({}, "2", "1 up, 2 up"),
    ({}, "0", ""),
    (ALL, "latest", ""),
    (ALL, "3", ""),
    (ALL, "2", "3 down"),
    (ALL, "0", "3 down, 2 down, 1 down"),
    ({1: "applied"}, "latest", "2 up, 3 up"),
    ({1: "applied"}, "0", "1 down"),
    ({1: "applied"}, "1", ""),
    ({3: "applied"}, "2", "3 down, 1 up, 2 up"),
    ({2: "applied", 3: "applied"}, "1", "3 down, 2 down, 1 up"),
    ({1: "reverted", 2: "reverted"}, "latest", "1 up, 2 up, 3 up"),
    ({1: "reverted", 2: "reverted"}, "0", ""),
    ({1: "applied", 2: "failed"}, "latest", "2 up, 3 up"),
    ({1: "applied", 2: "failed"}, "1", "2 down"),
    ({1: "applied", 2: "running"}, "latest", "2 up, 3 up"),
    ({1: "applied", 2: "running"}, "0", "2 down, 1 down"),
    ({1: "applied", 2: "reverting"}, "latest", "2 up, 3 up"),
    ({1: "applied", 2: "reverting"}, "1", "2 down"),
]


@pytest.mark.parametrize(("states", "target", "expected"), PLANS)
def test_moves_bring_a_database_from_its_state_to_the_target(
    states: States, target: str, expected: str
) -> None:
    assert moves(states, target) == expected


@pytest.mark.parametrize("target", ["4", "-1", "01", "1.0", "", "newest", "Latest"])
def test_an_unknown_target_is_refused_with_the_known_targets(target: str) -> None:
    with pytest.raises(UnknownMigration) as error:
        moves({}, target)

    assert str(error.value) == (
        f"There is no migration {target!r}; the target is 'latest' or a number from 0 to 3."
    )


@pytest.mark.parametrize("target", ["latest", "0", "1"])
def test_nothing_is_planned_when_the_file_of_an_applied_migration_was_changed(target: str) -> None:
    changed = records({1: "applied"}, checksum="another")

    with pytest.raises(MigrationChanged, match=r"file of migration 1 \(fields\) is not the one"):
        plan_moves(MIGRATIONS, changed, target)


@pytest.mark.parametrize("status", ["running", "failed", "reverting", "reverted"])
def test_the_file_of_a_migration_that_is_not_applied_may_change(status: MigrationStatus) -> None:
    changed = records({1: status}, checksum="another")

    assert plan_moves(MIGRATIONS, changed, "1")[0].direction == "up"


@pytest.mark.parametrize("status", ["applied", "running", "failed", "reverting"])
@pytest.mark.parametrize("target", ["latest", "0"])
def test_a_database_of_a_newer_version_is_left_alone(status: MigrationStatus, target: str) -> None:
    with pytest.raises(
        UnknownMigration, match=r"through migration 9 \(newer\), which this version"
    ):
        moves({1: "applied", 9: status}, target)


def test_a_migration_of_a_newer_version_that_was_undone_stops_no_run() -> None:
    assert moves({**ALL, 9: "reverted"}, "2") == "3 down"


@pytest.mark.parametrize("status", ["applied", "running", "failed", "reverting"])
def test_a_downgrade_past_an_irreversible_migration_names_the_lowest_target(
    status: MigrationStatus,
) -> None:
    migrations = (made(1), made(2, reversible=False), made(3))

    with pytest.raises(MigrationNotReversible) as error:
        plan_moves(migrations, records({**ALL, 2: status}), "1")

    assert str(error.value) == (
        "Migration 2 (marks) cannot be undone, so the database cannot go back to 1; the lowest "
        "target is 2."
    )


def test_the_newest_irreversible_migration_is_the_lowest_target_once_applied() -> None:
    irreversible = tuple(made(number, reversible=False) for number in NAMES)
    with pytest.raises(MigrationNotReversible, match="the lowest target is 3"):
        plan_moves(irreversible, records(ALL), "0")

    migrations = (made(1), made(2), made(3, reversible=False))
    planned = plan_moves(migrations, records({1: "applied", 2: "applied"}), "1")
    assert [move.migration.number for move in planned] == [2]


def test_without_migrations_there_is_nothing_to_do() -> None:
    assert plan_moves((), {}, "latest") == plan_moves((), {}, "0") == ()


def test_a_migration_without_its_undo_notes_is_not_undone() -> None:
    accepted = records(ALL, accepted_at=STARTED)

    with pytest.raises(
        MigrationNotReversible, match=r"3 \(dates\) .* \(its undo notes were remove"
    ):
        plan_moves(MIGRATIONS, accepted, "2")
    assert plan_moves(MIGRATIONS, accepted, "3") == ()
