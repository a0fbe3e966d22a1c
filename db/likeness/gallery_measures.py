"""Keeping what was measured of gallery pictures, so that each is measured once."""

from collections.abc import Collection, Sequence

from pymongo import ReplaceOne
from pymongo.database import Database

from db.connection import Document, in_batches, settled, translated_errors
from db.schema.documents.faces import effect_id
from db.schema.documents.measures import GalleryMeasure

COLLECTION = "face_measures"
_BATCH = 1000


def measure_id(character_id: str, picture: str) -> str:
    """Derive the id of a measure from what was measured."""
    return effect_id(character_id, picture, "measure")


def known_measures(database: Database[Document], character_id: str) -> dict[str, GalleryMeasure]:
    """Read what was measured for a character, by picture."""
    with translated_errors():
        found = settled(database)[COLLECTION].find({"character_id": character_id})
        measures = [GalleryMeasure.model_validate(document) for document in found]
    return {measure.picture: measure for measure in measures}


def keep_measures(database: Database[Document], measures: Sequence[GalleryMeasure]) -> None:
    """Keep measures, each in the place of an older one of the same picture."""
    writes = [
        ReplaceOne({"_id": measure.measure_id}, measure.model_dump(by_alias=True), upsert=True)
        for measure in measures
    ]
    if writes:
        with translated_errors():
            settled(database)[COLLECTION].bulk_write(writes, ordered=False)


def forget_measures(
    database: Database[Document], character_id: str, pictures: Collection[str]
) -> int:
    """Remove the measures of pictures that are in the gallery no more; return how many."""
    removed = 0
    with translated_errors():
        for batch in in_batches(pictures, _BATCH):
            ids = [measure_id(character_id, picture) for picture in batch]
            removed += (
                settled(database)[COLLECTION].delete_many({"_id": {"$in": ids}}).deleted_count
            )
    return removed


def forget_characters(database: Database[Document], kept: Collection[str]) -> int:
    """Remove the measures of all characters but these; return how many."""
    measures = settled(database)[COLLECTION]
    removed = 0
    with translated_errors():
        gone = set(measures.distinct("character_id")) - set(kept)
        for batch in in_batches(sorted(gone), _BATCH):
            removed += measures.delete_many({"character_id": {"$in": [*batch]}}).deleted_count
    return removed
