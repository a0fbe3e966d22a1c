"""A numbered migration, and where all of them come from."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from types import ModuleType

from pymongo.database import Database

from db.connection import Document
from db.errors import (
    DocumentsWouldExpire,
    MigrationChanged,
    MigrationNotReversible,
    UnknownMigration,
)
from db.migrations import versions
from db.migrations.engine.check import Check, Direction
from db.migrations.engine.work import Work
from db.schema.documents.system import MigrationRecord
from db.setup.expiry import ExpiringIndex, expiring_indexes

Step = Callable[[Work], None]


@dataclass(frozen=True)
class Migration:
    """One step from a state of the database to the next.

    Attributes:
        number: Its place, from 1 on.
        description: The first line of its file's docstring.
        checksum: SHA-256 of its file, in hexadecimal.
        up: Applies it; may be killed and called again.
        check: Counts what is left to change, which proves the result.
        down: Undoes it; None when it cannot be undone.
        former_checksums: Of earlier releases' files with the same steps in other words.
        changes: The fields that it may change or restore, by collection; None if that is not
            declared, and it may be any.
        writes_times: Whether one of these may become a date, or another one.
        repeatable: Whether going to `latest` applies it again to documents written since.
    """

    number: int
    name: str
    description: str
    checksum: str
    up: Step
    check: Callable[[Database[Document]], Check]
    down: Step | None = None
    former_checksums: tuple[str, ...] = ()
    repeatable: bool = False
    changes: Mapping[str, Sequence[str]] | None = None
    writes_times: bool = True

    @property
    def key(self) -> str:
        """The key of its undo notes."""
        return f"m{self.number:04}"

    def __str__(self) -> str:
        return f"{self.number} ({self.name})"


def load_migrations(package: ModuleType = versions) -> tuple[Migration, ...]:
    """Import the modules of a package, named `m`, four digits, `_` and a name, in their order."""
    names = sorted(module.name for module in iter_modules(package.__path__))
    return tuple(_load(import_module(f"{package.__name__}.{name}")) for name in names)


def _load(module: ModuleType) -> Migration:
    number, _, name = module.__name__.rpartition(".")[2].removeprefix("m").partition("_")
    file = Path(module.__file__ or "")
    return Migration(
        number=int(number),
        name=name,
        description=(module.__doc__ or "").partition("\n")[0],
        # A checkout may change the ends of lines, and nothing else.
        checksum=sha256(file.read_bytes().replace(b"\r\n", b"\n")).hexdigest(),
        up=module.up,
        check=module.check,
        down=getattr(module, "down", None),
        former_checksums=getattr(module, "FORMER_CHECKSUMS", ()),
        repeatable=getattr(module, "REPEATABLE", False),
        changes=getattr(module, "CHANGES", None),
        writes_times=getattr(module, "WRITES_TIMES", True),
    )


LATEST = "latest"
Records = Mapping[int, MigrationRecord]


@dataclass(frozen=True)
class Move:
    """A migration and the direction in which it has to run."""

    migration: Migration
    direction: Direction


def plan_moves(migrations: Sequence[Migration], records: Records, target: str) -> tuple[Move, ...]:
    """Plan the moves that bring a database to a target: `latest`, or the last number to apply.

    First comes what is to be undone, the newest first, then what is to be applied, the oldest
    first. A target that cannot be reached is refused: it is unknown, the database was migrated by
    a newer version, an applied file was changed, or a migration before it cannot be undone.
    """
    last = _last_number(migrations, target)
    _refuse_unknown(migrations, records)
    _refuse_changed(migrations, records)
    begun = {number for number, record in records.items() if record.status != "reverted"}
    applied = {number for number, record in records.items() if record.status == "applied"}
    down = [item for item in reversed(migrations) if item.number > last and item.number in begun]
    for migration in down:
        is_accepted = records[migration.number].accepted_at is not None
        if migration.down is None or is_accepted:
            reason = " (its undo notes were removed)" if is_accepted else ""
            raise MigrationNotReversible(
                f"Migration {migration} cannot be undone{reason}, so the database cannot go back "
                f"to {last}; the lowest target is {migration.number}."
            )
    up = [item for item in migrations if item.number <= last and item.number not in applied]
    return *(Move(item, "down") for item in down), *(Move(item, "up") for item in up)


def _last_number(migrations: Sequence[Migration], target: str) -> int:
    newest = migrations[-1].number if migrations else 0
    if target == LATEST:
        return newest
    if target not in {"0", *(str(migration.number) for migration in migrations)}:
        raise UnknownMigration(
            f"There is no migration {target!r}; the target is {LATEST!r} or a number from 0 to "
            f"{newest}."
        )
    return int(target)


def _refuse_unknown(migrations: Sequence[Migration], records: Records) -> None:
    for number in sorted(records.keys() - {migration.number for migration in migrations}):
        if records[number].status != "reverted":
            raise UnknownMigration(
                f"The database has been through migration {number} ({records[number].name}), which "
                "this version does not have; use the version that made it."
            )


def _refuse_changed(migrations: Sequence[Migration], records: Records) -> None:
    for migration in migrations:
        record = records.get(migration.number)
        known = {migration.checksum, *migration.former_checksums}
        if record and record.status == "applied" and record.checksum not in known:
            raise MigrationChanged(
                f"The file of migration {migration} is not the one that was applied to this "
                "database; put the old file back and write a new migration instead."
            )


def expiring_by(database: Database[Document], moves: Sequence[Move]) -> tuple[str, ...]:
    """Name each TTL index on a field that some moves may change, with what it would remove today.

    Such an index sleeps on a field of texts. Once these are dates, MongoDB removes within a minute
    every document whose time is over, and no undo note brings it back. Both directions change
    fields: going down puts older times back.
    """
    if not moves:
        return ()
    found = []
    for index in expiring_indexes(database):
        changing = [move.migration for move in moves if _may_change(move.migration, index)]
        if changing:
            found.append(f"{index}; {_numbered(changing)} may change that field")
    return tuple(found)


def refuse_expiring(database: Database[Document], moves: Sequence[Move]) -> None:
    """Refuse moves that may change the field of a TTL index.

    Raises:
        DocumentsWouldExpire: Names each index, and how many documents it would remove today.
    """
    if found := expiring_by(database, moves):
        raise DocumentsWouldExpire(
            f"Nothing was changed, since MongoDB would remove documents by a changed time. "
            f"{'. '.join(found)}. Drop the index, or say keep_ttl."
        )


def _may_change(migration: Migration, index: ExpiringIndex) -> bool:
    if migration.changes is None or not migration.writes_times:
        return migration.writes_times
    return index.is_on(migration.changes.get(index.collection, ()))


def _numbered(migrations: Sequence[Migration]) -> str:
    noun = "migration" if len(migrations) == 1 else "migrations"
    return f"{noun} {', '.join(map(str, migrations))}"
