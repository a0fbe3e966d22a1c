"""Which migrations are to be carried out or undone: decided, not done."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from db.documents.migration_record import MigrationRecord
from db.errors import MigrationChanged, MigrationNotReversible, UnknownMigration
from db.migrate.migration import Migration

LATEST = "latest"
Direction = Literal["up", "down"]
Records = Mapping[int, MigrationRecord]


@dataclass(frozen=True)
class Move:
    """A migration, and which way it is to go."""

    migration: Migration
    direction: Direction


def plan_moves(migrations: Sequence[Migration], records: Records, target: str) -> tuple[Move, ...]:
    """Say what brings a database from its state to another one.

    Args:
        migrations: All there are, by number.
        records: What the database knows of them, by number.
        target: `latest`, or the number of the last migration that is to be applied; `0` for none.

    Returns:
        What is to be undone, the newest first, then what is to be carried out, the oldest first.

    Raises:
        UnknownMigration: There is none with the target's number, or the database has been through
            one that is not known here.
        MigrationChanged: The file of an applied migration was changed.
        MigrationNotReversible: The target lies before one that cannot be undone.
    """
    last = _number(migrations, target)
    _check_known(migrations, records)
    _check_unchanged(migrations, records)
    down = [one for one in reversed(migrations) if one.number > last and _has_begun(one, records)]
    for one in down:
        if one.down is None:
            raise MigrationNotReversible(
                f"Migration {one} cannot be undone, so the database cannot go back to {last}; the "
                f"lowest target is {one.number}."
            )
    up = [one for one in migrations if one.number <= last and not _is_applied(one, records)]
    return *(Move(one, "down") for one in down), *(Move(one, "up") for one in up)


def _number(migrations: Sequence[Migration], target: str) -> int:
    newest = migrations[-1].number if migrations else 0
    if target == LATEST:
        return newest
    known = {"0", *(str(one.number) for one in migrations)}
    if target not in known:
        raise UnknownMigration(
            f"There is no migration {target!r}; the target is {LATEST!r} or a number from 0 to "
            f"{newest}."
        )
    return int(target)


def _check_known(migrations: Sequence[Migration], records: Records) -> None:
    for number in sorted(records.keys() - {one.number for one in migrations}):
        if records[number].status != "reverted":
            raise UnknownMigration(
                f"The database has been through migration {number} ({records[number].name}), which "
                "this version does not have; use the version that made it."
            )


def _check_unchanged(migrations: Sequence[Migration], records: Records) -> None:
    for one in migrations:
        if _is_applied(one, records) and records[one.number].checksum != one.checksum:
            raise MigrationChanged(
                f"The file of migration {one} is not the one that was applied to this database; "
                "put the old file back and write a new migration instead."
            )


def _is_applied(migration: Migration, records: Records) -> bool:
    record = records.get(migration.number)
    return record is not None and record.status == "applied"


def _has_begun(migration: Migration, records: Records) -> bool:
    record = records.get(migration.number)
    return record is not None and record.status != "reverted"
