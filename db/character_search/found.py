"""What is asked of characters and answered: a part of a name or a project, and a list."""

import re
from collections.abc import Mapping
from typing import Any

from db.character_search.names import NamedCharacter, named_character
from db.connection import Document
from db.schema.documents.base import Frozen
from db.schema.documents.characters import GALLERY_LISTS
from storycanvas.net.wording import counted

MAX_FOUND = 200
"""Characters of one list."""


class CharacterQuery(Frozen):
    """Which characters are looked for.

    Attributes:
        text: Part of the name, in any case; its characters stand for themselves.
        project: Id of a project, or part of its name in any case.
    """

    text: str | None = None
    project: str | None = None

    def words(self) -> str:
        """Word what is asked for, to follow a noun."""
        named = f" with {self.text!r} in the name" if self.text else ""
        return f"{named} in projects {self.project!r}" if self.project else named


def containing(text: str) -> Document:
    """Write the condition that a field contains a text in any case."""
    # A regular expression of MongoDB holds no NUL itself.
    return {"$regex": re.escape(text).replace("\0", r"\x00"), "$options": "i"}


class FoundCharacter(NamedCharacter):
    """A character as a list shows it; what the app wrote may lack any of it.

    Attributes:
        picture: The first reference image.
        references: Number of its reference images.
        results: Number of pictures in its gallery.
    """

    picture: str | None = None
    references: int = 0
    results: int = 0

    @classmethod
    def of(cls, found: Mapping[str, Any], projects: dict[str, str]) -> "FoundCharacter":
        """Read a document that `SHOWN` has made small."""
        picture = found.get("picture")
        return cls(
            **named_character(dict(found), projects).model_dump(),
            picture=picture if isinstance(picture, str) else None,
            references=found["references"],
            results=found["results"],
        )

    def line(self) -> str:
        """Describe it in a line."""
        counts = f"{counted(self.references, 'reference')}, {counted(self.results, 'result')}"
        return f"{self.name or 'without a name'}: {self.words()}, {counts}"


class CharactersFound(Frozen):
    """A list of characters by name.

    Attributes:
        more: Whether there are others than those that are listed.
        unknown_project: Whether no project is called what was asked for.
    """

    wanted: CharacterQuery
    characters: tuple[FoundCharacter, ...] = ()
    more: bool = False
    unknown_project: bool = False

    def summary(self) -> str:
        """Count in a sentence what was found."""
        words = self.wanted.words()
        if self.unknown_project:
            return f"There is no project with {self.wanted.project!r} in its name, or as its id."
        if self.more:
            return (
                f"The first {len(self.characters)} characters{words}, by name; there are more: "
                "name a project or more of the name."
            )
        if not self.characters:
            return f"There is no character{words}."
        by_name = ", by name" if len(self.characters) > 1 else ""
        return f"{counted(len(self.characters), 'character')}{words}{by_name}."


def _size(path: str) -> Document:
    return {"$cond": [{"$isArray": f"${path}"}, {"$size": f"${path}"}, 0]}


_GALLERY = "facefusion_output_gallery"
_AGES = f"${_GALLERY}.age_variants"
_IS_OBJECT = {"$eq": [{"$type": _AGES}, "object"]}
_VARIANTS = {"$cond": [_IS_OBJECT, {"$size": {"$objectToArray": _AGES}}, 0]}
SHOWN: Document = {
    "id": True,
    "name": True,
    "project_id": True,
    "references": _size("reference_images"),
    "results": {"$add": [*(_size(f"{_GALLERY}.{name}") for name in GALLERY_LISTS), _VARIANTS]},
    "picture": {
        "$cond": [{"$isArray": "$reference_images"}, {"$first": "$reference_images"}, None]
    },
}
"""Leaves of a document what a list shows, so that no history leaves the server."""
