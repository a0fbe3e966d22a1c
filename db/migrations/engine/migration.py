"""A numbered migration, and where all of them come from."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from types import ModuleType
from typing import Literal

from pymongo.database import Database

from db.connection import Document
from db.errors import MigrationChanged, MigrationNotReversible, UnknownMigration
from db.migrations import versions
from db.migrations.engine.check import Check
from db.migrations.engine.work import Work
from db.schema.documents.system import MigrationRecord

Step = Callable[[Work], None]


@dataclass(frozen=True)
class Migration:
    """One step from a state of the database to the next.

    Attributes:
        number: Its place, from 1 on.
        name: What it is about, such as `character_fields`.
        description: The same in a sentence.
        checksum: SHA-256 of its file, in hexadecimal.
        up: Carries it out; may be killed and called again.
        check: Proves its result.
        down: Undoes it; None when it cannot be undone.
        former_checksums: Of the same steps in a file that was worded otherwise.
    """

    number: int
    name: str
    description: str
    checksum: str
    up: Step
    check: Callable[[Database[Document]], Check]
    down: Step | None = None
    former_checksums: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.number} ({self.name})"


def load_migrations(package: ModuleType = versions) -> tuple[Migration, ...]:
    """Import the numbered modules of a package.

    Args:
        package: Its modules are called `m`, four digits, an underscore and a name.

    Returns:
        The migrations by number.
    """
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
    )


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
        known = {one.checksum, *one.former_checksums}
        if _is_applied(one, records) and records[one.number].checksum not in known:
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
