"""Times written as ISO text become dates, in UTC.

The schema has dates, the app's older code writes text (docs/schema.md, Times). Texts are read by
`db.migrations.engine.dates`; other texts, numbers and objects are not times, and are listed. The
app sorts a character's history by its times, and cannot sort dates among others: so a history is
converted as a whole, or left and listed.
"""

from pymongo.database import Database

from db.connection import Document
from db.migrations.engine.check import (
    Check,
    Unresolved,
    check_fields,
    left_by,
)
from db.migrations.engine.dates import read_date, read_date_as_before
from db.migrations.engine.expressions import NUMBERS, Expression, called, each, is_a, when
from db.migrations.engine.fields import FieldChange, changed_fields
from db.migrations.engine.odd import is_collection
from db.migrations.engine.work import Work

FORMER_CHECKSUMS = (
    "e893f691e3bd0d8dbd944c3ea71eb07f269978ea7394e06a416537ddcd4b1b08",
    "7c9cf9cdb0a710d0d3da08f8779bc95230e98e0bada36971cee203b4d849c7ad",
    "f0fbc4f473c38af37f844cf8a98bed0872ab362e4dd7f9aea367e09af1f83361",
    "6a12bb8f45cf0c7c61096a388e784baf5230146c6ff6e702425f12b9b4f296e1",
)
"""Of this file before its words were renamed, before it left histories that it cannot read as a
whole, before its lists were counted by `left_by`, and before it read all forms of ISO 8601; `down`
undoes what those converted, too, and migration 8 mends it."""

REPEATABLE = True

_DATED = ("created_at", "updated_at")
_DELETABLE = (*_DATED, "deleted_at")
TIMES: dict[str, tuple[str, ...]] = {
    "projects": _DELETABLE,
    "scenes": _DELETABLE,
    "clips": _DELETABLE,
    "characters": _DELETABLE,
    "style_templates": _DELETABLE,
    "facefusion_jobs": (*_DATED, "lease_expires_at", "started_at", "completed_at"),
    "facefusion_presets": _DELETABLE,
    "database_models": (*_DATED, "last_synced_at"),
    "inference_configurations": _DATED,
    "civitai_models": ("_imported_at",),
    "generation_batches": (*_DATED, "started_at"),
    "users": _DELETABLE,
    "comfyui_servers": (*_DELETABLE, "last_check"),
    "generation_pool": _DATED,
    "active_backend_models": ("first_seen", "last_seen"),
    "backends": ("last_check",),
    "model_sync_status": ("last_sync_attempt", "last_sync_success"),
    "model_profiles": _DATED,
    "images": ("uploaded_at",),
    "templates": ("created_at",),
    "faceswap_tasks": ("started_at", "completed_at", "created_at"),
    "crawl_tasks": ("created_at",),
}
HISTORY = "facefusion_processing_history"
_UNREADABLE = {
    "string": "Texts in {} that are not times; correct or remove them",
    "number": "Numbers in {}, whose unit and zone are not known; write dates instead",
    "object": "Objects in {}, such as a {{$date}} of an export; write dates instead",
}
"""What is listed, by the type of the value."""


def up(work: Work) -> None:
    """Convert every text that is a time; other texts stay."""
    for change in _CHANGES:
        work.change(change)


def down(work: Work) -> None:
    """Restore each text, unless the field was written to since."""
    for change in _CHANGES:
        work.undo(change)


def check(database: Database[Document]) -> Check:
    """Count the texts that are times, and list the other values."""
    total = Check()
    for change in _CHANGES:
        total += check_fields(database, change)
        names = [name for name in change.rules if name != HISTORY]
        if is_collection(database, change.collection):
            total += Check(unresolved=_unreadable(database, change.collection, names))
    return total + Check(unresolved=_unreadable_histories(database))


def _history(value: Expression) -> Expression:
    """Read the times of a history, unless one of its entries has none that can be read."""

    def unless_unreadable(entries: str) -> Expression:
        return when({"$in": [None, entries]}, value, entries)

    read = called("entries", each("entry", value, _with_date), unless_unreadable)
    return when(is_a(value, "array"), read, value)


def _with_date(entry: str) -> Expression:
    """Give an entry the date that its text names; null where it has no date and no such text."""
    time = f"{entry}.created_at"
    read = called("read", read_date(time), lambda date: when(is_a(date, "date"), date, None))
    dated = {"$mergeObjects": [entry, {"created_at": "$$date"}]}
    of_text = {"$let": {"vars": {"date": read}, "in": when("$$date", dated, None)}}
    return when(is_a(time, "date"), entry, when(is_a(time, "string"), of_text, None))


def read_each_entry(value: Expression) -> Expression:
    """Read the times that can be read, entry by entry, as earlier releases of this file did."""
    entries = each(
        "entry",
        value,
        lambda entry: when(
            is_a(f"{entry}.created_at", "string"),
            {"$mergeObjects": [entry, {"created_at": read_date_as_before(f"{entry}.created_at")}]},
            entry,
        ),
    )
    return when(is_a(value, "array"), entries, value)


def _unreadable_histories(database: Database[Document]) -> tuple[Unresolved, ...]:
    unreadable = {"$in": [None, each("entry", f"${HISTORY}", _with_date)]}
    stays = {f"{HISTORY}.created_at": {"$type": [*_UNREADABLE]}, HISTORY: {"$type": "array"}}
    what = (
        "Characters with a history entry whose time cannot be read; correct it, then run this again"
    )
    return left_by(database, "characters", {**stays, "$expr": unreadable}, what)


def _unreadable(
    database: Database[Document], collection: str, names: list[str]
) -> tuple[Unresolved, ...]:
    """List the values that are not times; one look at a collection finds all that there are."""
    queries = {
        (name, kind): {name: {"$type": kind}, "$expr": _stays(f"${name}", kind)}
        for name in names
        for kind in _UNREADABLE
    }
    some = {"$or": [{name: {"$type": [*_UNREADABLE]}} for name in names]}
    sums = {f"{name} {kind}": {"$max": _stays(f"${name}", kind)} for name, kind in queries}
    pipeline: list[Document] = [{"$match": some}, {"$group": {"_id": None, **sums}}]
    there = next(iter(database[collection].aggregate(pipeline)), {})
    found: tuple[Unresolved, ...] = ()
    for (name, kind), query in queries.items():
        if there.get(f"{name} {kind}"):
            what = _UNREADABLE[kind].format(f"{collection}.{name}")
            found += left_by(database, collection, query, what)
    return found


def _stays(value: Expression, kind: str) -> Expression:
    if kind == "string":
        return {"$and": [is_a(value, "string"), {"$eq": [read_date(value), value]}]}
    return is_a(value, *(NUMBERS if kind == "number" else (kind,)))


def _candidates(names: tuple[str, ...], *, characters: bool) -> Document:
    paths = (*names, f"{HISTORY}.created_at") if characters else names
    return {"$or": [{path: {"$type": "string"}} for path in paths]}


_CHANGES = tuple(
    FieldChange(
        "m0005",
        collection,
        dict.fromkeys(names, read_date) | ({HISTORY: _history} if characters else {}),
        former={HISTORY: read_each_entry} if characters else {},
        candidates=_candidates(names, characters=characters),
    )
    for collection, names in TIMES.items()
    for characters in (collection == "characters",)
)
CHANGES = changed_fields(_CHANGES)
