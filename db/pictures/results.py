"""All results of a character: by the ledger, and what else its gallery has."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import ValidationError
from pymongo import DESCENDING
from pymongo.database import Database

from db.connection import Document, settled, translated_errors
from db.errors import UnknownCharacter
from db.likeness.galleries import CharacterGallery, gallery_of
from db.schema.documents.faces import GalleryEffect, HistoryEffect, OperationRecord

MAX_RECORDS = 5000
"""The newest of a character that are shown."""


@dataclass(frozen=True)
class CharacterResult:
    """A picture that an operation made of a character.

    Attributes:
        address: Where documents say that it is.
        parameters: As the history names them.
        galleries: The lists of the gallery that have it; empty for a step on the way to another.
        age: Years that it shows in the gallery; None but for `age_variants`.
        flow: What added it to the character; None of what was made before that was noted.
        measure: What was measured of it; None where an operation was done again since.
        size: Width and height in pixels, as long as those are known.
    """

    address: str
    operation_type: str
    parameters: dict[str, Any]
    galleries: tuple[str, ...]
    age: int | None
    flow: str | None
    engine: str
    made_at: datetime
    measure: dict[str, Any] | None = None
    size: tuple[int, int] | None = None


@dataclass(frozen=True)
class CharacterResults:
    """A character with all that was made of its face.

    Attributes:
        results: The newest first.
        others: Pictures of the gallery that no operation of the ledger made.
    """

    gallery: CharacterGallery
    results: tuple[CharacterResult, ...]

    @property
    def others(self) -> tuple[str, ...]:
        """Addresses in the gallery that no operation of the ledger made."""
        known = {result.address for result in self.results}
        listed = dict.fromkeys(picture.picture for picture in self.gallery.pictures)
        return tuple(address for address in listed if address not in known)


def results_of(database: Database[Document], character_id: str) -> CharacterResults:
    """Read all results of a character, the newest first; the index of the ledger serves it.

    Raises:
        UnknownCharacter: There is none, or it is deleted.
    """
    gallery = gallery_of(database, character_id)
    if gallery is None:
        raise UnknownCharacter(
            f"There is no character with character_id {character_id!r}; take the id from the app's "
            "page."
        )
    wanted = {"effects.character_id": character_id}
    with translated_errors():
        found = settled(database)["facefusion_operations"].find(
            wanted, sort={"created_at": DESCENDING}, limit=MAX_RECORDS
        )
        records = [record for document in found if (record := _record(document)) is not None]
    results = [each for record in records for each in _results(record, character_id)]
    results.sort(key=lambda result: result.made_at, reverse=True)
    return CharacterResults(gallery, tuple(results))


def _record(document: Document) -> OperationRecord | None:
    """Read a record; one with values of wrong types is left out, and audit-db tells it."""
    try:
        return OperationRecord.model_validate(document)
    except ValidationError:
        return None


def _results(record: OperationRecord, character_id: str) -> Iterator[CharacterResult]:
    """List the outputs of an operation for a character; a forced run may have made several."""
    effects = [effect for effect in record.effects if effect.character_id == character_id]
    shown = [effect for effect in effects if isinstance(effect, GalleryEffect)]
    for effect in effects:
        if not isinstance(effect, HistoryEffect):
            continue
        address = effect.entry.output_image_url
        is_current = record.output is not None and record.output.url == address
        yield CharacterResult(
            address=address,
            operation_type=record.operation_type,
            parameters=effect.entry.parameters,
            galleries=_galleries(shown, address),
            age=next((each.age for each in shown if each.url == address and each.age), None),
            flow=effect.flow,
            engine=f"{record.engine} {record.engine_version}",
            made_at=effect.entry.created_at,
            measure=record.measure if is_current else None,
            size=(record.output.width, record.output.height)
            if is_current and record.output
            else None,
        )


def _galleries(effects: Sequence[GalleryEffect], address: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(each.gallery for each in effects if each.url == address))
