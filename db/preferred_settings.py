"""What the ledger and a character tell about its preferred settings, and writing these."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pymongo import DESCENDING
from pymongo.database import Database

from db.as_read import Change, change_as_read, mongosh_line, taking_back
from db.characters import CharacterRepository
from db.connection import Document, settled, translated_errors
from db.gallery_outcomes import (
    AGES,
    GalleryEntry,
    Outcome,
    missing_places,
    outcomes,
    variants_of_others,
)
from db.schema.documents.characters import PreferredSettings
from db.schema.documents.faces import GalleryEffect
from db.schema.indexes import NOT_DELETED

MAX_ENTRIES = 500
SETTINGS = "facefusion_preferred_settings"
_GALLERY = "facefusion_output_gallery"
SETTING_NAMES = tuple(PreferredSettings.model_fields)

Settings = Mapping[str, Any]
Fitting = Callable[[Settings, Settings], Settings]
"""Leaves of the wanted settings, the second, those that fit the stored ones, the first."""


@dataclass(frozen=True)
class GalleryHistory:
    """The newest operations that put pictures into a character's gallery.

    Attributes:
        settings: The character's own, empty where none are stored.
        entries: The newest first, with what became of their pictures.
        missing: Lists of the gallery that are missing or null.
    """

    settings: Settings
    entries: tuple[tuple[GalleryEntry, Outcome], ...]
    missing: tuple[str, ...] = ()


def read_gallery_history(database: Database[Document], character_id: str) -> GalleryHistory:
    """Read what became of the pictures of the newest 500 operations.

    Raises:
        UnknownCharacter: There is none, or it is deleted.
        BrokenCharacter: A field of it is of a wrong type.
    """
    settings = CharacterRepository(database).find(character_id).facefusion_preferred_settings
    entries = newest_entries(database, character_id)
    with translated_errors():
        # After the ledger: what was recorded in between is in the gallery as well.
        found = database["characters"].find_one({"id": character_id, **NOT_DELETED}, [_GALLERY])
    gallery = (found or {}).get(_GALLERY)
    others = _of_ledger(database, character_id, variants_of_others(entries, gallery))
    found_outcomes = outcomes(entries, gallery, others)
    return GalleryHistory(
        settings or {},
        tuple(zip(entries, found_outcomes, strict=True)),
        tuple(missing_places(entries, gallery)),
    )


def in_gallery_of(character_id: str, **picture: Any) -> Document:
    """Select the operations that put a picture into a character's gallery."""
    effect = {"character_id": character_id, "kind": "gallery", **picture}
    return {"effects": {"$elemMatch": effect}}


def newest_entries(
    database: Database[Document], character_id: str, limit: int = MAX_ENTRIES
) -> list[GalleryEntry]:
    """Read the newest operations that put a picture into a character's gallery."""
    fields = ["operation_type", "parameters", "effects"]
    with translated_errors():
        found = settled(database)["facefusion_operations"].find(
            in_gallery_of(character_id), fields, sort={"created_at": DESCENDING}, limit=limit
        )
        return [_entry(document, character_id) for document in found]


def _entry(document: Document, character_id: str) -> GalleryEntry:
    pictures = tuple(
        GalleryEffect.model_validate(effect)
        for effect in document["effects"]
        if effect["kind"] == "gallery" and effect["character_id"] == character_id
    )
    return GalleryEntry(document["operation_type"], document["parameters"], pictures)


def _of_ledger(database: Database[Document], character_id: str, urls: set[str]) -> set[str]:
    """Find which pictures of ages the ledger has put there, beyond its newest operations."""
    if not urls:
        return set()
    which = in_gallery_of(character_id, gallery=AGES, url={"$in": [*urls]})
    with translated_errors():
        found = settled(database)["facefusion_operations"].find(which, ["effects.url"])
        return urls & {effect.get("url") for record in found for effect in record["effects"]}


@dataclass(frozen=True)
class WrittenSettings:
    """What a run wrote into the preferred settings.

    Attributes:
        written: Names, also of those that had the value by then.
        left: Names of those that had changed meanwhile, or do not fit what has changed.
        undo: A line for mongosh that takes it back; empty where nothing was written.
    """

    written: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    undo: str = ""


def write_settings(
    database: Database[Document],
    character_id: str,
    old: Settings,
    wanted: Settings,
    fitting: Fitting,
    now: datetime,
) -> WrittenSettings:
    """Write settings of a character whose old values are still there, and nothing else.

    All are written by one update, whose filter holds all stored settings: another that was changed
    meanwhile may not go together with these.

    Raises:
        UnknownDocument: The character has been deleted.
        DocumentKeepsChanging: It was changed at each try.
    """

    def still_wanted(stored: object) -> Settings:
        if stored is not None and not isinstance(stored, Mapping):
            return {}
        current = stored or {}
        same = {n: v for n, v in wanted.items() if current.get(n) in (old.get(n), v)}
        return fitting(current, same)

    def decide(character: Document) -> Document:
        stored = character.get(SETTINGS)
        changes = still_wanted(stored)
        current = stored if isinstance(stored, Mapping) else {}
        # A missing editor value that is to be unset is unset as it is.
        new = {n: v for n, v in changes.items() if current.get(n) != v}
        if stored is None:
            return {SETTINGS: new} if new else {}
        return {f"{SETTINGS}.{name}": value for name, value in new.items()}

    change = change_as_read(database, "characters", character_id, [SETTINGS], decide, now)
    done = still_wanted(change.before.get(SETTINGS))
    return WrittenSettings(
        written=tuple(name for name in wanted if name in done),
        left=tuple(name for name in wanted if name not in done),
        undo=_undo(database, character_id, change),
    )


def _undo(database: Database[Document], character_id: str, change: Change) -> str:
    if not change.after:
        return ""
    which = {"id": character_id, **change.after}
    stored = change.before.get(SETTINGS)
    old = change.before
    if isinstance(stored, Mapping):
        old = {f"{SETTINGS}.{name}": value for name, value in stored.items()}
    update = taking_back(Change(old, change.after))
    return mongosh_line(database, "characters", which, update)
