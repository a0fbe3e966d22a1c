"""Queries of `facefusion_presets`: finding one, counting its runs, saving, and the list of them."""

from datetime import datetime
from typing import Any

from pydantic import ValidationError
from pymongo.database import Database
from pymongo.errors import DuplicateKeyError

from db.connection import Document, reading_anything, translated_errors
from db.errors import BrokenPreset, PresetNameTaken, UnknownPreset
from db.preset_reports import (
    MAX_LISTED,
    VALUES,
    ListedPreset,
    PresetQuery,
    PresetsFound,
    PresetValues,
    SavedPreset,
)
from db.schema.collections import PRESET_NAMES
from db.schema.documents.faces import Preset, StoredPreset
from db.schema.indexes import NOT_DELETED, WITHOUT_CASE

OPEN_TO_ALL: Document = {"$or": [{"is_public": True}, {"user_id": None}]}
_USES = {"$cond": [{"$isNumber": "$use_count"}, "$use_count", 0]}
_TRIES = 5
"""Of saving a name that other runs save, or delete, at the same moment."""


class PresetRepository:
    """Reads and saves presets, and counts the runs that use them."""

    def __init__(self, database: Database[Document]) -> None:
        self._presets = database["facefusion_presets"]
        self._readable = reading_anything(database)["facefusion_presets"]

    def find(self, preset: str) -> Preset:
        """Read a preset by its id, or else by its name.

        By name only those are found that are public or belong to no user: names are not unique, and
        another user's private preset must not change a run.

        Raises:
            UnknownPreset: There is none, or several have that name.
            BrokenPreset: A field of it is of a wrong type.
        """
        with translated_errors():
            found = [*self._presets.find({"id": preset, "deleted_at": None}).limit(1)] or [
                *self._presets.find({"name": preset, "deleted_at": None, **OPEN_TO_ALL}).limit(2)
            ]
        if len(found) > 1:
            raise UnknownPreset(f"Several presets are named {preset!r}; give the id of one.")
        if not found:
            raise UnknownPreset(
                f"There is no preset with the id or name {preset!r}; one that a user has not made "
                "public is found by its id only."
            )
        try:
            return Preset.model_validate(found[0])
        except ValidationError as error:
            field = error.errors(include_url=False)[0]["loc"][0]
            raise BrokenPreset(
                f"The field {field} of the preset {preset!r} cannot be used."
            ) from error

    def count_use(self, preset_id: str, run_id: str, now: datetime) -> None:
        """Count a run that uses a preset; a repetition for the same run is not counted.

        A count that is no number, which `$inc` refuses, begins anew: it must not end a run.
        """
        used: Document = {
            "use_count": {"$add": [_USES, 1]},
            "last_used_at": now,
            "last_used_run": {"$literal": run_id},
        }
        with translated_errors():
            self._presets.update_one(
                {"id": preset_id, "last_used_run": {"$ne": run_id}, **NOT_DELETED}, [{"$set": used}]
            )

    def save(
        self, values: PresetValues, new_id: str, now: datetime, *, replace: bool
    ) -> SavedPreset:
        """Save a preset under a name that no other has, in any case.

        What holds two runs apart that save one name at the same moment is a unique index, which is
        made here where `init-db` has not made it yet; presets that the app wrote are not in it.

        Args:
            values: What is saved.
            new_id: Id of a new preset. A repetition with the same id finds what it saved.
            now: UTC.
            replace: Whether a preset of the name gets the new values; its id, the time of its
                creation and its count stay.

        Raises:
            PresetNameTaken: Another preset has the name, and is not to be replaced.
        """
        with translated_errors():
            self._presets.create_index([*PRESET_NAMES.keys], **PRESET_NAMES.creation)
            for _ in range(_TRIES):
                try:
                    saved = self._save(values, new_id, now, replace=replace)
                except DuplicateKeyError:
                    continue  # another run saved the name after it was looked for
                if saved is not None:
                    return saved
        raise PresetNameTaken(
            f"Other runs are saving the preset {values.name!r} at this moment; start this one "
            "again."
        )

    def _save(
        self, values: PresetValues, new_id: str, now: datetime, *, replace: bool
    ) -> SavedPreset | None:
        """Insert or replace once; None where the preset to be replaced is gone by now."""
        alike = self._readable.find({"name": values.name, **NOT_DELETED}).collation(WITHOUT_CASE)
        found = [*alike.sort("_id", 1)]
        if any(preset.get("id") == new_id for preset in found):
            return SavedPreset(id=new_id, values=values)
        chosen = preset_to_replace(found, values, replace=replace)
        changed: Document = {**values.model_dump(), "unique_name": True, "updated_at": now}
        if chosen is None:
            new = StoredPreset.model_validate({"id": new_id, "created_at": now, **changed})
            self._presets.insert_one(new.model_dump())
            return SavedPreset(id=new_id, values=values)
        before = self._readable.find_one_and_update(
            {"_id": chosen["_id"], **NOT_DELETED}, {"$set": changed}
        )
        if before is None:
            return None
        old = {name: before[name] for name in VALUES if name in before}
        return SavedPreset(id=str(before.get("id")), values=values, before=old)

    def listed(self, wanted: PresetQuery) -> PresetsFound:
        """List presets, the most used first; where there are none, count what there is by type."""
        read = listing(wanted)
        with translated_errors():
            rows = [ListedPreset.of(found) for found in self._readable.aggregate(read)]
            full = len(rows) == MAX_LISTED
            count = self._presets.count_documents(read[0]["$match"]) if full else len(rows)
            types = {} if rows else self._counts(wanted)
        return PresetsFound(wanted=wanted, presets=tuple(rows), count=count, types=types)

    def _counts(self, wanted: PresetQuery) -> dict[str, int]:
        visible = {"$match": {**NOT_DELETED, **wanted.visible}}
        counted = self._readable.aggregate([visible, {"$sortByCount": "$operation_type"}])
        return {str(found["_id"]): found["count"] for found in counted}


def listing(wanted: PresetQuery) -> list[Document]:
    """Write the stages that list presets, the most used first; a count that is none is 0."""
    uses = {"$convert": {"input": "$use_count", "to": "long", "onError": 0, "onNull": 0}}
    return [
        {"$match": {**NOT_DELETED, **wanted.condition}},
        {"$set": {"use_count": uses}},
        {"$sort": {"use_count": -1, "name": 1, "id": 1}},
        {"$limit": MAX_LISTED},
    ]


def preset_to_replace(
    found: list[Document], values: PresetValues, *, replace: bool
) -> Document | None:
    """Choose which of the presets of a name gets new values; None if there is none of the name.

    Raises:
        PresetNameTaken: None of them may be replaced, or it is not clear which one is meant.
    """
    if not found:
        return None
    if not replace:
        raise PresetNameTaken(
            f"The name {values.name!r} is taken by {_named(found[0])}; choose another name, or "
            "switch replace on, which gives that preset the new values."
        )
    own = [preset for preset in found if preset.get("user_id") == values.user_id]
    candidates = own or found
    if len(candidates) > 1:
        listed = ", ".join(map(_named, candidates))
        raise PresetNameTaken(
            f"Several presets have the name {values.name!r}: {listed}; rename or delete all but "
            "one of them in the database, or choose another name."
        )
    (chosen,) = candidates
    if chosen.get("user_id") not in {None, values.user_id}:
        raise PresetNameTaken(
            f"The name {values.name!r} is taken by {_named(chosen)} of the user "
            f"{chosen['user_id']!r}; name that user_id to replace it, or choose another name."
        )
    return chosen


def _named(preset: Document) -> str:
    kind: Any = preset.get("operation_type")
    return f"the preset {preset.get('name')!r} ({kind}, id {preset.get('id')})"
