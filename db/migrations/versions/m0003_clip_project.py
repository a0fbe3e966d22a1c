"""Every clip names its scene's project, and its length stands under one name.

The app's older API writes no `project_id`, and `duration` in the place of `length` (docs/schema.md,
Clips).
"""

from pymongo.collection import Collection
from pymongo.database import Database

from db.connection import Document
from db.migrations.engine.check import (
    MAX_EXAMPLES,
    Check,
    Unresolved,
    check_fields,
    left_odd,
    left_to_a_person,
    left_without_id,
)
from db.migrations.engine.expressions import NUMBERS, Expression, is_a, when
from db.migrations.engine.fields import FieldChange, restore_from_undo, set_with_undo
from db.migrations.engine.odd import NOT_DOUBLED, UNDO, WITH_ID, WRITABLE, is_collection
from db.migrations.engine.work import Work

FORMER_CHECKSUMS = (
    "814b33adfe8e7190bfb014d2356f6b72c934f01db9c91a98e7bfea77c9120f63",
    "dcaa59bc7f424b3e072592561cca53122794c84152b4fda2337b44f5d0bfaffc",
    "9cc830139f3b3a864a661d408700b6c90bc36520fdb57094a5918c6cfe79c4ce",
)
"""Of this file as it was released before; its steps are the same."""

REPEATABLE = True

_KEY = "m0003"
_CLIPS = "clips"
_WITHOUT_PROJECT: Document = {"project_id": {"$eq": None, "$not": {"$type": "array"}}}
_LOOK_UP_SCENE: Document = {
    "$lookup": {"from": "scenes", "localField": "scene_id", "foreignField": "id", "as": "scene"}
}
_CHANGEABLE: Document = {**WITH_ID, "$expr": WRITABLE}
_NOTED: Document = {f"{UNDO}.{_KEY}.project_id": {"$exists": True}}


def up(work: Work) -> None:
    """Take the project from the scene and the length from the duration, where there is none."""
    work.change(_LENGTH)
    work.in_ranges(_CLIPS, lambda which: _fill_in(work.database, which))


def down(work: Work) -> None:
    """Restore each clip, unless it was written to since."""
    back = [*restore_from_undo(_KEY, ["project_id"]), {"$unset": f"{UNDO}.{_KEY}.project_id"}]
    work.update(_CLIPS, _NOTED, back)
    work.undo(_LENGTH)


def check(database: Database[Document]) -> Check:
    """Count clips without project or length, and list those whose scene has no project."""
    if not is_collection(database, _CLIPS):
        return Check()
    clips = database[_CLIPS]
    without = clips.count_documents(_WITHOUT_PROJECT)
    known = _count(clips, _with_scene({}))
    found = _count(clips, _with_scene(_CHANGEABLE)) if known else 0
    noted = clips.count_documents({"$and": [_NOTED, NOT_DOUBLED]})
    odd: tuple[Unresolved, ...] = ()
    if found < known:
        odd += left_without_id(database, _CLIPS, _WITHOUT_PROJECT)
        odd += left_odd(database, _CLIPS, {**_WITHOUT_PROJECT, **WITH_ID})
    of_projects = Check(
        remaining={"clips.project_id": found},
        changed={"clips.project_id": noted},
        unresolved=(*_lost(database, without - known), *odd),
    )
    return check_fields(database, _LENGTH) + of_projects


def _count(clips: Collection[Document], pipeline: list[Document]) -> int:
    found: Document = next(clips.aggregate([*pipeline, {"$count": "count"}]), {"count": 0})
    return int(found["count"])


def _fill_in(database: Database[Document], which: Document) -> None:
    merge = {
        "into": _CLIPS,
        "on": "_id",
        # The app may have filled it in since the scene was looked up.
        "whenMatched": set_with_undo(
            _KEY, {"project_id": {"$ifNull": ["$project_id", "$$new.found"]}}
        ),
        "whenNotMatched": "discard",
    }
    database[_CLIPS].aggregate(
        [*_with_scene({"$and": [which, _CHANGEABLE]}), {"$merge": merge}],
        bypassDocumentValidation=True,
    )


def _with_scene(which: Document) -> list[Document]:
    """Find clips without project whose scene has one."""
    project = {"$arrayElemAt": ["$scene.project_id", 0]}
    return [
        {"$match": {**which, **_WITHOUT_PROJECT, "scene_id": {"$type": "string"}}},
        _LOOK_UP_SCENE,
        {"$project": {"found": project}},
        {"$match": {"found": {"$type": "string"}}},
    ]


def _lost(database: Database[Document], count: int) -> tuple[Unresolved, ...]:
    if not count:
        return ()
    pipeline: list[Document] = [
        {"$match": _WITHOUT_PROJECT},
        _LOOK_UP_SCENE,
        {"$match": {"scene.project_id": {"$not": {"$type": "string"}}}},
        {"$limit": MAX_EXAMPLES},
        {"$project": {"id": True}},
    ]
    what = "Clips without project whose scene has none or is gone; give them a scene"
    return (left_to_a_person(what, count, database[_CLIPS].aggregate(pipeline)),)


def _length(value: Expression) -> Expression:
    is_seconds = {"$and": [is_a("$duration", *NUMBERS), {"$gt": ["$duration", 0]}]}
    return when(is_a(value, "missing", "null"), when(is_seconds, "$duration", value), value)


_LENGTH = FieldChange(_KEY, _CLIPS, {"length": _length})
CHANGES = {_CLIPS: ("project_id", "length")}
