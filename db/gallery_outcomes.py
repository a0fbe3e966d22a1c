"""What became of the pictures that operations put into a character's gallery: kept or removed."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from db.schema.documents.characters import GALLERY_LISTS
from db.schema.documents.faces import GalleryEffect

AGES = "age_variants"


class Outcome(StrEnum):
    """What became of the picture of an operation."""

    KEPT = "kept"
    REMOVED = "removed"
    REPLACED = "replaced"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class GalleryEntry:
    """An operation of the ledger, and what it put into the gallery of one character.

    Attributes:
        pictures: More than one where a forced run made the picture again, or two galleries have it.
    """

    operation_type: str
    parameters: Mapping[str, Any]
    pictures: tuple[GalleryEffect, ...]


def outcomes(
    entries: Sequence[GalleryEntry],
    gallery: object,
    others_of_ledger: Collection[str] = (),
) -> list[Outcome]:
    """Decide what became of each entry: a picture that is anywhere in the gallery is kept.

    A picture that is not there was removed by a person, but for three kinds. An age has one
    picture: one that a later operation put there has replaced the earlier. One that was never put
    into the gallery could not be removed. And where a list is missing or null it is not known what
    became of its pictures: a person who removes the last one leaves an empty list.

    Args:
        entries: Of one character.
        gallery: Its `facefusion_output_gallery` as it is stored.
        others_of_ledger: Pictures that the ledger's other entries put into `age_variants`.
    """
    there = {*_pictures(gallery)}
    latest = _latest_by_age(entries)
    made = {*others_of_ledger, *(picture.url for picture in _variants(entries))}

    def outcome_of(picture: GalleryEffect) -> Outcome:
        if picture.url in there:
            return Outcome.KEPT
        stored = _place(gallery, picture.gallery)
        if picture.applied_at is None or stored is None:
            return Outcome.UNKNOWN
        if picture.age is not None:
            is_latest = latest[picture.age].url == picture.url
            if not is_latest or stored.get(str(picture.age)) in made:
                return Outcome.REPLACED
        return Outcome.REMOVED

    return [_of_all({outcome_of(picture) for picture in entry.pictures}) for entry in entries]


def variants_of_others(entries: Sequence[GalleryEntry], gallery: object) -> set[str]:
    """Find the pictures of ages that none of the entries put there."""
    variants = _place(gallery, AGES) or {}
    shown = {url for url in variants.values() if isinstance(url, str)}
    return shown - {picture.url for picture in _variants(entries)}


def missing_places(entries: Sequence[GalleryEntry], gallery: object) -> list[str]:
    """Name the lists that entries put pictures into and that the gallery does not have."""
    places = {picture.gallery for entry in entries for picture in entry.pictures}
    return sorted(place for place in places if _place(gallery, place) is None)


def _of_all(found: Collection[Outcome]) -> Outcome:
    """Of several pictures of one operation, one that is kept decides."""
    order = (Outcome.KEPT, Outcome.REMOVED, Outcome.REPLACED)
    return next((outcome for outcome in order if outcome in found), Outcome.UNKNOWN)


def _place(gallery: object, name: str) -> Any:  # noqa: ANN401 - a list or an object
    """Get a list or the pictures of ages; None where it is missing, null or of a wrong type."""
    stored = gallery.get(name) if isinstance(gallery, Mapping) else None
    kind = Mapping if name == AGES else list
    return stored if isinstance(stored, kind) else None


def _pictures(gallery: object) -> Iterator[str]:
    for name in (*GALLERY_LISTS, AGES):
        stored = _place(gallery, name) or ()
        values = stored.values() if isinstance(stored, Mapping) else stored
        yield from (url for url in values if isinstance(url, str))


def _variants(entries: Sequence[GalleryEntry]) -> Iterator[GalleryEffect]:
    for entry in entries:
        yield from (picture for picture in entry.pictures if picture.age is not None)


def _latest_by_age(entries: Sequence[GalleryEntry]) -> dict[int, GalleryEffect]:
    """Find the picture that was put into the gallery last for each age."""
    latest: dict[int, GalleryEffect] = {}
    applied: list[tuple[datetime, GalleryEffect]] = [
        (picture.applied_at, picture)
        for picture in _variants(entries)
        if picture.applied_at is not None
    ]
    for _, picture in sorted(applied, key=lambda pair: pair[0]):
        latest[picture.age or 0] = picture
    return latest
