"""Queries of `characters`."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from pydantic import ValidationError
from pymongo import UpdateOne
from pymongo.database import Database

from db.character_search.names import character_called
from db.connection import Document, translated_errors
from db.errors import (
    BrokenCharacter,
    CharacterTooLarge,
    DocumentTooLarge,
    UnknownCharacter,
)
from db.migrations.engine.odd import has_doubled_field, has_doubled_field_inside
from db.schema.documents.characters import GALLERY_LISTS, HISTORY_LIMIT, Character, HistoryEntry
from db.schema.indexes import NOT_DELETED
from db.setup.missing import unknown_character

_HISTORY = "facefusion_processing_history"
_GALLERY = "facefusion_output_gallery"
_USABLE = {
    f"types.{_HISTORY}": {"missing", "null", "array"},
    f"types.{_GALLERY}": {"missing", "null", "object"},
    "types.age_variants": {"missing", "null", "object"},
    **{f"types.{name}": {"missing", "null", "array"} for name in GALLERY_LISTS},
}


_DOUBLED = {
    "$or": [has_doubled_field(), *(has_doubled_field_inside(f"${f}") for f in (_HISTORY, _GALLERY))]
}
"""MongoDB 6.0.5 aborts when a history or a gallery is updated in such a document."""
_TWICE = (
    "Character {!r} has the same field twice, which MongoDB cannot change; write its document anew "
    "with each field once."
)


class CharacterRepository:
    """Reads characters and writes what face operations add to them.

    A field that is missing or null counts as empty, as the app treats it; a field of a wrong type
    is refused rather than overwritten. A deleted character is neither read nor changed.
    """

    def __init__(self, database: Database[Document]) -> None:
        self._database = database
        self._characters = database["characters"]

    def find(self, character_id: str) -> Character:
        """Read a character that is not deleted, without its history.

        Raises:
            UnknownCharacter: There is none.
            BrokenCharacter: A field has a type that the app never writes, or stands twice.
        """
        fields = dict.fromkeys(Character.model_fields, True)
        paths = {_HISTORY: _HISTORY, _GALLERY: _GALLERY}
        paths |= {name: f"{_GALLERY}.{name}" for name in (*GALLERY_LISTS, "age_variants")}
        types = {name: {"$type": f"${path}"} for name, path in paths.items()}
        with translated_errors():
            document = self._characters.find_one(
                {"id": character_id, **NOT_DELETED}, {**fields, "types": types, "doubled": _DOUBLED}
            )
        if document is None:
            raise unknown_character(
                self._database,
                f"There is no character {character_id!r} in the database; take the id of one from "
                "the app's character page.",
            )
        return _checked(document, character_id)

    def find_named(self, given: str) -> Character:
        """Read a character by its id, or else by its name in any case.

        Raises:
            UnknownCharacter: There is none.
            AmbiguousCharacter: It is no id, and several have the name.
            BrokenCharacter: A field has a type that the app never writes, or stands twice.
        """
        try:
            return self.find(given)
        except UnknownCharacter:
            return self.find(character_called(self._database, given).id)

    def of_project(self, project_id: str, most: int) -> list[str]:
        """List the ids of a project's characters, the oldest first.

        Raises:
            UnknownCharacter: It has none, or more than `most`.
        """
        with translated_errors():
            which = {"project_id": project_id, **NOT_DELETED}
            found = self._characters.find(which, {"id": True}).sort("_id", 1).limit(most + 1)
            ids = [character["id"] for character in found]
        if not ids:
            reason = f"The project {project_id!r} has no character."
            raise unknown_character(self._database, reason)
        if len(ids) > most:
            raise UnknownCharacter(
                f"The project {project_id!r} has more than {most} characters; name them in parts."
            )
        return ids

    def is_deleted(self, character_id: str) -> bool:
        """Check whether a character is there and marked as deleted."""
        with translated_errors():
            deleted = {"id": character_id, "deleted_at": {"$ne": None}}
            return self._characters.find_one(deleted, {"_id": True}) is not None

    def refuse_doubled(self, character_id: str) -> None:
        """Make sure that MongoDB does not abort at what is written next.

        Raises:
            BrokenCharacter: The character has the same field twice.
        """
        with translated_errors():
            doubled = {"id": character_id, "$expr": _DOUBLED}
            if self._characters.find_one(doubled, {"_id": True}) is not None:
                raise BrokenCharacter(_TWICE.format(character_id))

    def add_history(self, character_id: str, entry: HistoryEntry, now: datetime) -> None:
        """Add a history entry unless it is there; the newest 200 stay.

        The app sorts a history by its times and fails on a date among texts, so an entry gets its
        time as text where none of those before has a date.
        """
        there = {"$ifNull": [f"${_HISTORY}", []]}
        written = entry.model_dump()
        in_text = {**written, "created_at": entry.created_at.isoformat()}
        types = {"$map": {"input": there, "in": {"$type": "$$this.created_at"}}}
        dated = {"$or": [{"$eq": [there, []]}, {"$in": ["date", types]}]}
        added = {"$cond": [dated, {"$literal": written}, {"$literal": in_text}]}
        kept = {"$slice": [{"$concatArrays": [there, [added]]}, -HISTORY_LIMIT]}
        with _room_in(character_id, _HISTORY):
            self._characters.update_one(
                {"id": character_id, f"{_HISTORY}.id": {"$ne": entry.id}, **NOT_DELETED},
                [{"$set": {_HISTORY: kept, "updated_at": now}}],
            )

    def add_to_gallery(self, character_id: str, gallery: str, url: str, now: datetime) -> None:
        """Add a picture to a list of the gallery unless it is there."""
        path = f"{_GALLERY}.{gallery}"
        listed = {"$ifNull": [f"${path}", []]}
        with _room_in(character_id, gallery):
            self._set_in_gallery(
                {"id": character_id, path: {"$ne": url}},
                {"$push": {path: url}},
                {gallery: {"$concatArrays": [listed, [{"$literal": url}]]}},
                now,
            )

    def set_age_variant(self, character_id: str, age: int, url: str, now: datetime) -> None:
        """Set the gallery's picture of an age; BSON takes text keys only."""
        path = f"{_GALLERY}.age_variants"
        variant = {str(age): {"$literal": url}}
        with _room_in(character_id, "age_variants"):
            self._set_in_gallery(
                {"id": character_id, f"{path}.{age}": {"$ne": url}},
                {"$set": {f"{path}.{age}": url}},
                {"age_variants": {"$mergeObjects": [f"${path}", variant]}},
                now,
            )

    def _set_in_gallery(
        self, which: Document, change: Document, change_of_empty: Document, now: datetime
    ) -> None:
        """Change a gallery in place, or build it anew where a part of it is missing or null.

        In place it takes half of the time, which counts in a list of 20,000 pictures.
        """
        whole: Document = {f"{_GALLERY}.{name}": {"$type": "array"} for name in GALLERY_LISTS}
        whole[f"{_GALLERY}.age_variants"] = {"$type": "object"}
        in_place = {**change, "$set": {**change.get("$set", {}), "updated_at": now}}
        empty: dict[str, Any] = {**{name: [] for name in GALLERY_LISTS}, "age_variants": {}}
        gallery = {"$mergeObjects": [{"$literal": empty}, f"${_GALLERY}", change_of_empty]}
        anew = [{"$set": {_GALLERY: gallery, "updated_at": now}}]
        # Each makes the condition of those after it false, so a picture is added once. Another
        # step may build the gallery between the first two, and then neither of them finds it.
        update = UpdateOne({"$and": [which, whole, dict(NOT_DELETED)]}, in_place)
        build = UpdateOne({"$and": [which, {"$nor": [whole]}, dict(NOT_DELETED)]}, anew)
        self._characters.bulk_write([update, build, update])


@contextmanager
def _room_in(character_id: str, place: str) -> Iterator[None]:
    """Translate errors, and name the character and the list for which there is no room."""
    try:
        with translated_errors():
            yield
    except DocumentTooLarge as error:
        raise CharacterTooLarge(
            f"The document of character {character_id!r} has no room for another entry in {place}, "
            "since MongoDB stores at most 16 MB; remove entries that are not needed, then run "
            "audit-db with fix on, which adds what is pending."
        ) from error


def _checked(document: Document, character_id: str) -> Character:
    if document["doubled"]:
        raise BrokenCharacter(_TWICE.format(character_id))
    types = document["types"]
    for path, usable in _USABLE.items():
        name = path.removeprefix("types.")
        if types[name] not in usable:
            raise BrokenCharacter(
                f"The field {name} of character {character_id!r} is of type {types[name]}, so "
                "nothing can be recorded; run migrate-characters, which repairs it, first."
            )
    try:
        return Character.model_validate(document)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(map(str, first["loc"]))
        raise BrokenCharacter(
            f"The field {field} of character {character_id!r} cannot be used: {first['msg']}."
        ) from error
