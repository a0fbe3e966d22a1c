"""Histories of characters with dates and other times get dates alone.

The app sorts a history by `created_at` and fails on a date beside a text or beside nothing. It
adds dates itself, so texts for all would fail again with its next entry. An entry whose time
cannot be read gets that of the entry before it, since entries are added at the end; what stood
there stays in the entry, as `created_at_as_written`.
"""

from functools import partial

from pymongo.database import Database

from db.connection import Document
from db.migrations.engine.check import Check, check_fields, left_by
from db.migrations.engine.dates import read_date, read_date_as_before
from db.migrations.engine.expressions import Build, Expression, called, each, is_a, only, when
from db.migrations.engine.fields import FieldChange, changed_fields
from db.migrations.engine.work import Work
from db.migrations.versions.m0005_dates import HISTORY

FORMER_CHECKSUMS = (
    "386218d23eb8d705d51214d1da8cb00351eac42a63130631ee1af9630629c2e5",
    "9c5f970c54777774553a31b06a0b467609460e43d0374a1327ae10aa3dc6ac6f",
)
"""Of this file before pieces that stood twice became calls, and before all forms of ISO 8601 were
read; `down` undoes what those did, too."""

REPEATABLE = True

AS_WRITTEN = "created_at_as_written"
"""Field of a history entry with what stood in the place of its time."""


def up(work: Work) -> None:
    """Give each entry of a mixed history a date."""
    work.change(HISTORIES)


def down(work: Work) -> None:
    """Restore each history, unless it was written to since."""
    work.undo(HISTORIES)


def check(database: Database[Document]) -> Check:
    """Count the mixed histories, and list those whose entries are not all objects."""
    strange = {
        HISTORY: {"$type": "array", "$elemMatch": {"$not": {"$type": "object"}}},
        f"{HISTORY}.created_at": {"$type": "date"},
    }
    what = "Characters with history entries that are not objects; remove these entries"
    listed = left_by(database, HISTORIES.collection, strange, what)
    return check_fields(database, HISTORIES) + Check(unresolved=listed)


def _history(value: Expression, read: Build = read_date) -> Expression:
    """Give each entry of a mixed history a date; every other history stays as it is."""
    types = each("entry", value, lambda entry: {"$type": f"{entry}.created_at"})
    objects = {"$allElementsTrue": [each("entry", value, lambda entry: is_a(entry, "object"))]}

    def is_mixed(found: str) -> Expression:
        return {
            "$and": [objects, {"$in": ["date", found]}, {"$ne": [{"$setUnion": found}, ["date"]]}]
        }

    mixed = when(is_a(value, "array"), called("types", types, is_mixed), False)
    return when(mixed, called("entries", value, partial(_with_dates, read=read)), value)


def _with_dates(entries: str, read: Build) -> Expression:
    """Read the times that can be read, and give the others that of the entry before."""
    known = each("entry", entries, lambda entry: _known(f"{entry}.created_at", read))
    first = {"$arrayElemAt": [only("time", known, lambda time: is_a(time, "date")), 0]}
    entry = "$$this"

    def append(time: str) -> Expression:
        dated = {"$mergeObjects": [entry, {"created_at": time}, _as_written(entry, read)]}
        return {"time": time, "done": {"$concatArrays": ["$$value.done", [dated]]}}

    time = {"$ifNull": [_known(f"{entry}.created_at", read), "$$value.time"]}
    step = called("time", time, append)
    reduced = {
        "$reduce": {"input": entries, "initialValue": {"time": first, "done": []}, "in": step}
    }
    return called("all", reduced, lambda found: f"{found}.done")


def _known(time: Expression, read: Build) -> Expression:
    """Read a date, or null where the time cannot be read."""
    return called("known", read(time), lambda known: when(is_a(known, "date"), known, None))


def _as_written(entry: str, read: Build) -> Expression:
    time = f"{entry}.created_at"
    nothing = {"$or": [is_a(time, "missing", "null"), is_a(read(time), "date")]}
    return when(nothing, {}, {AS_WRITTEN: time})


HISTORIES = FieldChange(
    "m0008",
    "characters",
    {HISTORY: _history},
    former={HISTORY: partial(_history, read=read_date_as_before)},
    candidates={
        f"{HISTORY}.created_at": {"$type": "date"},
        HISTORY: {"$elemMatch": {"created_at": {"$not": {"$type": "date"}}}},
    },
)
CHANGES = changed_fields([HISTORIES])
