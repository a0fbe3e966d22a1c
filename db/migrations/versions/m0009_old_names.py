"""Newer names of fields are added beside the older ones, which the app goes on reading.

Nothing is renamed: half of the app's readers know one name, half the other (docs/migrations.md).
Where both are there and differ, both stay and are listed. A preset gets the name of its type that
it lacks, unless another preset of the model has this type: unique indexes stand on both names.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from pymongo.database import Database

from db.connection import Document
from db.migrations.engine.check import (
    Check,
    Unresolved,
    check_fields,
    left_by,
    left_odd,
    left_to_a_person,
    left_without_id,
)
from db.migrations.engine.expressions import Expression, differ, is_a, only, when
from db.migrations.engine.fields import (
    FieldChange,
    changed_fields,
    forget,
    restore_from_undo,
    set_with_undo,
)
from db.migrations.engine.odd import NOT_DOUBLED, UNDO, WITH_ID, WRITABLE, is_collection
from db.migrations.engine.work import Work
from db.setup.compare import collection_names

FORMER_CHECKSUMS = (
    "864c00a3077daf03022d112b687b42ee0377444a1b36712273589fc388b9597f",
    "de3c706eee2bbe86002cadcb615b6dc054a77d170dfdd85c209661785b26344c",
)
"""Of this file before pieces that stood twice became calls; its steps are the same."""

REPEATABLE = True

_KEY = "m0009"
_NONE = ("missing", "null")
_WHOLE = ("int", "long")
_MODEL_TYPES = ("checkpoint", "lora", "embedding", "controlnet", "vae", "upscale", "other")


@dataclass(frozen=True)
class _Names:
    """An older and a newer name of one field.

    Attributes:
        types: BSON types of a value that is taken over.
        values: The values that are taken over; all when empty.
    """

    old: str
    new: str
    types: tuple[str, ...] = ("string",)
    values: tuple[str, ...] = ()

    def rule(self, value: Expression) -> Expression:
        """Keep a value; take the older field's where there is none."""
        old = f"${self.old}"
        fits = [is_a(old, *self.types), *([{"$in": [old, [*self.values]]}] if self.values else [])]
        return when({"$and": [is_a(value, *_NONE), *fits]}, old, value)

    @property
    def differing(self) -> Expression:
        """Whether there is an older value, and the newer one is not and does not get the same."""
        old = f"${self.old}"
        has_old = {"$not": [is_a(old, *_NONE)]}
        return {"$and": [has_old, differ(old, self.rule(f"${self.new}"))]}


_STYLES = "style_templates"
_NAMES: Mapping[str, tuple[_Names, ...]] = {
    _STYLES: (
        _Names("prompt_template", "prompt_additions"),
        _Names("negative_prompt_template", "negative_prompt"),
        _Names("default_params", "params", ("object",)),
    ),
    "generation_batches": (
        _Names("total", "total_jobs", _WHOLE),
        _Names("completed", "completed_jobs", _WHOLE),
        _Names("failed", "failed_jobs", _WHOLE),
    ),
    "database_models": (
        _Names("model_type", "type", values=_MODEL_TYPES),
        _Names("filepath", "path"),
    ),
}
_PRESETS = "inference_configurations"
_OLD_TYPE, _NEW_TYPE = "configuration_type", "preset_type"
_NOTED: Document = {f"{UNDO}.{_KEY}": {"$exists": True}}


def up(work: Work) -> None:
    """Add the newer names, and to presets the name that is missing."""
    for change in _CHANGES:
        work.change(change)
    if _PRESETS in collection_names(work.database):
        work.ensure_held()
        _complete_presets(work.database)


def down(work: Work) -> None:
    """Take out the added names, unless they were written to since."""
    for change in _CHANGES:
        work.undo(change)
    back = [*restore_from_undo(_KEY, [_OLD_TYPE, _NEW_TYPE]), *forget(_KEY)]
    work.update(_PRESETS, _NOTED, back)


def check(database: Database[Document]) -> Check:
    """Count documents that lack a name, and list those whose two names differ."""
    total = _check_presets(database)
    for change in _CHANGES:
        total += check_fields(database, change)
    for collection, names in [(of, names) for of, pairs in _NAMES.items() for names in pairs]:
        total += Check(
            unresolved=_listed(database, collection, names.old, names.new, names.differing)
        )
    is_of_project = {"$and": [_IS_OF_ALL, is_a("$project_id", "string")]}
    return total + Check(
        unresolved=_listed(database, _STYLES, "is_global", "project_id", is_of_project)
    )


_IS_OF_ALL: Expression = {"$eq": ["$is_global", True]}


def _project(value: Expression) -> Expression:
    """Write null for a style of all projects that names none."""
    return when({"$and": [is_a(value, "missing"), _IS_OF_ALL]}, None, value)


def _listed(
    database: Database[Document], collection: str, old: str, new: str, test: Expression
) -> tuple[Unresolved, ...]:
    what = f"Documents of {collection} whose {old} and {new} differ; correct one of them"
    return left_by(database, collection, {"$expr": test}, what)


def _with_types() -> list[Document]:
    """Group presets by model and type, where one of them lacks a name of its type."""
    new, old = f"${_NEW_TYPE}", f"${_OLD_TYPE}"
    texts = only("name", [new, old], lambda name: is_a(name, "string"))
    lacks = {"$or": [is_a(new, *_NONE), is_a(old, *_NONE)]}
    odd = {"$or": [{"$eq": ["$_id", None]}, {"$not": [WRITABLE]}]}
    preset = {"_id": "$_id", "id": "$id", "lacks": "$lacks", "odd": odd}
    return [
        {"$match": {"model_id": {"$type": "string"}}},
        {"$set": {"types": {"$setUnion": [texts]}, "lacks": lacks}},
        {"$unwind": "$types"},
        {
            "$group": {
                "_id": {"model": "$model_id", "type": "$types"},
                "presets": {"$push": preset},
            }
        },
        {"$match": {"presets.lacks": True}},
    ]


def _incomplete() -> list[Document]:
    """Find presets that are the only one of their type and model, and their type."""
    first = {"$arrayElemAt": ["$presets._id", 0]}
    alone = {"presets.1": {"$exists": False}, "presets.odd": False}
    return [*_with_types(), {"$match": alone}, {"$project": {"_id": first, "found": "$_id.type"}}]


def _complete_presets(database: Database[Document]) -> None:
    merge = {
        "into": _PRESETS,
        "on": "_id",
        # The app may have written a name since they were grouped.
        "whenMatched": set_with_undo(
            _KEY,
            {name: {"$ifNull": [f"${name}", "$$new.found"]} for name in (_NEW_TYPE, _OLD_TYPE)},
        ),
        "whenNotMatched": "discard",
    }
    database[_PRESETS].aggregate(
        [*_incomplete(), {"$merge": merge}], bypassDocumentValidation=True, allowDiskUse=True
    )


_LACKING: Document = {
    "model_id": {"$type": "string"},
    "$or": [{_NEW_TYPE: None}, {_OLD_TYPE: None}],
}


def _check_presets(database: Database[Document]) -> Check:
    if not is_collection(database, _PRESETS):
        return Check()
    presets = database[_PRESETS]
    found = presets.aggregate([*_incomplete(), {"$count": "count"}], allowDiskUse=True)
    several: list[Document] = [*_with_types(), {"$match": {"presets.1": {"$exists": True}}}]
    groups = presets.aggregate(several, allowDiskUse=True)
    shared = [preset for group in groups for preset in group["presets"]]
    what = (
        f"Documents of {_PRESETS} with the same model and type, which stay; change the type where "
        "it is wrong"
    )
    has_both = {"$not": [{"$or": [is_a(f"${_NEW_TYPE}", *_NONE), is_a(f"${_OLD_TYPE}", *_NONE)]}]}
    differing = {"$and": [has_both, differ(f"${_NEW_TYPE}", f"${_OLD_TYPE}")]}
    return Check(
        remaining={f"{_PRESETS}.{_NEW_TYPE}": next(found, {"count": 0})["count"]},
        changed={f"{_PRESETS}.{_NEW_TYPE}": presets.count_documents({**_NOTED, **NOT_DOUBLED})},
        unresolved=(
            *((left_to_a_person(what, len(shared), shared),) if shared else ()),
            *_listed(database, _PRESETS, _OLD_TYPE, _NEW_TYPE, differing),
            *left_without_id(database, _PRESETS, _LACKING),
            *left_odd(database, _PRESETS, {**_LACKING, **WITH_ID}),
        ),
    )


_CHANGES = tuple(
    FieldChange(
        _KEY,
        collection,
        {names.new: names.rule for names in pairs}
        | ({"project_id": _project} if collection == _STYLES else {}),
    )
    for collection, pairs in _NAMES.items()
)
CHANGES = {**changed_fields(_CHANGES), _PRESETS: (_OLD_TYPE, _NEW_TYPE)}
