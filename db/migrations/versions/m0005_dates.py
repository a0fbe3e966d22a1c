"""Times written as ISO text become dates, in UTC.

The schema has dates, the app's older code writes text (docs/schema.md, Times). A text without an
offset is UTC; MongoDB keeps milliseconds. A text that Python, and so the app, cannot read as a date
is not a time. The app sorts a character's history by its times, and cannot sort dates among others:
so a history is converted as a whole, or left and listed.
"""

from datetime import UTC, datetime

from pymongo.database import Database

from db.connection import Document
from db.migrations.engine.check import (
    Check,
    Unresolved,
    check_fields,
    left_by,
)
from db.migrations.engine.expressions import Expression, called, each, is_a, when
from db.migrations.engine.fields import FieldChange, changed_fields
from db.migrations.engine.work import Work

FORMER_CHECKSUMS = (
    "e893f691e3bd0d8dbd944c3ea71eb07f269978ea7394e06a416537ddcd4b1b08",
    "7c9cf9cdb0a710d0d3da08f8779bc95230e98e0bada36971cee203b4d849c7ad",
    "f0fbc4f473c38af37f844cf8a98bed0872ab362e4dd7f9aea367e09af1f83361",
    "6a12bb8f45cf0c7c61096a388e784baf5230146c6ff6e702425f12b9b4f296e1",
)
"""Of this file before its words were renamed, before it left histories that it cannot read as a
whole, and before its lists were counted by `left_by`; `down` undoes what those converted, too, and
migration 8 mends it."""

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
_FIRST, _LAST = datetime(1, 1, 1, tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
HISTORY = "facefusion_processing_history"
_ISO = (
    r"^\s*[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]+)?)?"
    r"\s*(Z|[+-]([01][0-9]|2[0-3]):?[0-5][0-9])?)?\s*$"
)


def up(work: Work) -> None:
    """Convert every text that is a time; other texts stay."""
    for change in _CHANGES:
        work.change(change)


def down(work: Work) -> None:
    """Restore each text, unless the field was written to since."""
    for change in _CHANGES:
        work.undo(change)


def check(database: Database[Document]) -> Check:
    """Count the texts that are times, and list the others."""
    total = Check()
    for change in _CHANGES:
        total += check_fields(database, change)
        names = [name for name in change.rules if name != HISTORY]
        total += Check(unresolved=_unreadable(database, change.collection, names))
    return total + Check(unresolved=_unreadable_histories(database))


def read_date(value: Expression) -> Expression:
    """Read a text in ISO 8601; everything else stays as it is."""
    read = {"$dateFromString": {"dateString": _in_milliseconds(value), "onError": value}}
    is_time = {"$regexMatch": {"input": value, "regex": _ISO}}

    def if_known(date: str) -> Expression:
        known = {"$and": [{"$gte": [date, _FIRST]}, {"$lte": [date, _LAST]}]}
        return when(known, date, value)

    return when(is_a(value, "string"), when(is_time, called("date", read, if_known), value), value)


def _in_milliseconds(text: Expression) -> Expression:
    """Cut a time after three decimals, since the server would round it."""
    longer = {"$regexFind": {"input": text, "regex": r"^(.*[.][0-9]{3})[0-9]+(.*)$"}}
    cut = called(
        "longer",
        longer,
        lambda found: {
            "$concat": [
                {"$arrayElemAt": [f"{found}.captures", 0]},
                {"$arrayElemAt": [f"{found}.captures", 1]},
            ]
        },
    )
    return {"$trim": {"input": {"$ifNull": [cut, text]}}}


def _history(value: Expression) -> Expression:
    """Read the times of a history, unless one of its entries has none that can be read."""
    return when(_is_readable(value), read_each_entry(value), value)


def _is_readable(value: Expression) -> Expression:
    def has_time(entry: str) -> Expression:
        is_date = is_a(read_date(f"{entry}.created_at"), "date")
        return {"$and": [is_a(entry, "object"), is_date]}

    all_have = {"$allElementsTrue": [each("entry", value, has_time)]}
    return when(is_a(value, "array"), all_have, False)


def read_each_entry(value: Expression) -> Expression:
    """Read the times that can be read, entry by entry, as earlier releases of this file did."""
    entries = each(
        "entry",
        value,
        lambda entry: when(
            is_a(f"{entry}.created_at", "string"),
            {"$mergeObjects": [entry, {"created_at": read_date(f"{entry}.created_at")}]},
            entry,
        ),
    )
    return when(is_a(value, "array"), entries, value)


def _unreadable_histories(database: Database[Document]) -> tuple[Unresolved, ...]:
    stays = {f"{HISTORY}.created_at": {"$type": "string"}, HISTORY: {"$type": "array"}}
    left = {**stays, "$expr": {"$not": [_is_readable(f"${HISTORY}")]}}
    what = (
        "Characters with a history entry whose time cannot be read; correct it, then run this again"
    )
    return left_by(database, "characters", left, what)


def _unreadable(
    database: Database[Document], collection: str, names: list[str]
) -> tuple[Unresolved, ...]:
    found: tuple[Unresolved, ...] = ()
    for name in names:
        stays = {"$expr": {"$eq": [read_date(f"${name}"), f"${name}"]}}
        what = f"Texts in {collection}.{name} that are not times; correct or remove them"
        found += left_by(database, collection, {name: {"$type": "string"}, **stays}, what)
    return found


_CHANGES = tuple(
    FieldChange(
        "m0005",
        collection,
        dict.fromkeys(names, read_date) | ({HISTORY: _history} if characters else {}),
        former={HISTORY: read_each_entry} if characters else {},
    )
    for collection, names in TIMES.items()
    for characters in (collection == "characters",)
)
CHANGES = changed_fields(_CHANGES)
