"""Reading the galleries of characters, one character at a time."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pymongo.database import Database

from db.connection import Document, reading_anything, translated_errors
from db.schema.documents.characters import GALLERY_LISTS
from db.schema.indexes import NOT_DELETED
from db.setup.missing import unknown_character

_GALLERY, AGES = "facefusion_output_gallery", "age_variants"
_FIELDS = {"id": True, "name": True, "reference_images": True, _GALLERY: True}


@dataclass(frozen=True)
class GalleryPicture:
    """A picture of a gallery.

    Attributes:
        gallery: The list that has it, or `age_variants`.
        picture: Its address.
        age: Years that it is to show; None but for `age_variants`.
    """

    gallery: str
    picture: str
    age: int | None = None


@dataclass(frozen=True)
class CharacterGallery:
    """A character, and what was made of its face.

    Attributes:
        pictures: Each address once.
    """

    character_id: str
    name: str
    references: tuple[str, ...]
    pictures: tuple[GalleryPicture, ...]


def characters_with_galleries(
    database: Database[Document], character_id: str | None, project_id: str | None
) -> list[str]:
    """List the ids of the characters that are asked for, the oldest first.

    Args:
        database: The StoryCanvas database.
        character_id: Only this one.
        project_id: Only those of this project; both None lists all.

    Raises:
        UnknownCharacter: There is none.
    """
    named = {"id": character_id, "project_id": project_id}
    wanted = {name: value for name, value in named.items() if value is not None}
    with translated_errors():
        found = reading_anything(database)["characters"].find(
            {**wanted, **NOT_DELETED}, {"id": True}
        )
        ids = [each["id"] for each in found.sort("_id", 1) if isinstance(each.get("id"), str)]
    if not ids:
        asked = " and ".join(f"{name} {value!r}" for name, value in wanted.items())
        raise unknown_character(
            database,
            f"There is no character with {asked}; take the id from the app's page."
            if asked
            else "The database has no character.",
        )
    return ids


def gallery_of(database: Database[Document], character_id: str) -> CharacterGallery | None:
    """Read the gallery of a character; None if it was deleted meanwhile.

    What is missing, null or of a wrong type counts as empty: nothing is written to it.
    """
    with translated_errors():
        found = reading_anything(database)["characters"].find_one(
            {"id": character_id, **NOT_DELETED}, _FIELDS
        )
    if found is None:
        return None
    pictures = {picture.picture: picture for picture in _pictures(found.get(_GALLERY))}
    return CharacterGallery(
        character_id,
        name if isinstance(name := found.get("name"), str) else "",
        tuple(dict.fromkeys(_addresses(found.get("reference_images")))),
        tuple(pictures.values()),
    )


def _pictures(gallery: object) -> Iterator[GalleryPicture]:
    if not isinstance(gallery, Mapping):
        return
    for name in GALLERY_LISTS:
        for address in _addresses(gallery.get(name)):
            yield GalleryPicture(name, address)
    variants = gallery.get(AGES)
    if isinstance(variants, Mapping):
        for age, address in variants.items():
            if isinstance(address, str) and address and str(age).isdecimal():
                yield GalleryPicture(AGES, address, int(age))


def _addresses(stored: Any) -> list[str]:  # noqa: ANN401 - whatever the app stored
    entries = stored if isinstance(stored, list) else []
    return [entry for entry in entries if isinstance(entry, str) and entry]
