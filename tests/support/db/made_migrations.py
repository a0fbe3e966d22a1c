"""Small migrations of a collection, which fail on request."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from db.migrations.engine.check import Check, Unresolved, check_fields
from db.migrations.engine.expressions import is_a, when
from db.migrations.engine.fields import FieldChange
from db.migrations.engine.migration import Migration, Step
from db.migrations.engine.work import Work
from tests.support.db.database_state import Data

NOTES = "notes"
LEFT = Unresolved(what="Notes that cannot be read; correct them", count=1, examples=("a",))


@dataclass
class Cause:
    """Why a migration fails; it succeeds while the reason is empty."""

    reason: str = ""


def do_nothing(_work: Work) -> None:
    """Change nothing."""


def made(
    number: int,
    up: Step = do_nothing,
    check: Callable[[Data], Check] = lambda _database: Check(),
    down: Step | None = do_nothing,
) -> Migration:
    """Make a migration of some functions."""
    name = f"made_{number}"
    return Migration(number, name, "Made for a test.", f"checksum {number}", up, check, down)


def field_change(number: int, name: str, key: str = "") -> FieldChange:
    """Give a field its migration's number where it is missing."""
    return FieldChange(
        key or name, NOTES, {name: lambda value: when(is_a(value, "missing"), number, value)}
    )


def adds_field(number: int) -> Migration:
    """Add a field, such as `added_1`."""
    change = field_change(number, f"added_{number}", f"m{number:04}")

    def check(database: Data) -> Check:
        return check_fields(database, change)

    return made(number, lambda work: work.change(change), check, lambda work: work.undo(change))


def cannot_be_undone(number: int) -> Migration:
    """Add a field for good."""
    return replace(adds_field(number), down=None)


def breaks_half_way(number: int, cause: Cause) -> Migration:
    """Add two fields, and raise between them as long as there is a cause; both ways."""
    first, second = (field_change(number, f"{half}_{number}") for half in ("first", "second"))

    def up(work: Work) -> None:
        work.remember("try", cause.reason or "good")
        work.change(first)
        if cause.reason:
            raise RuntimeError(cause.reason)
        work.change(second)

    def down(work: Work) -> None:
        work.undo(second)
        if cause.reason:
            raise RuntimeError(cause.reason)
        work.undo(first)

    def check(database: Data) -> Check:
        left = Check(unresolved=(LEFT,))
        return check_fields(database, first) + check_fields(database, second) + left

    return made(number, up, check, down)


def never_ends(number: int, tries: list[int]) -> Migration:
    """Leave something to do, however often it is tried."""

    def check(_database: Data) -> Check:
        left = {f"{NOTES}.old": 2, f"{NOTES}.other": 0}
        return Check(remaining=left, changed=left)

    def note_try(_work: Work) -> None:
        tries.append(number)

    return made(number, note_try, check, note_try)
