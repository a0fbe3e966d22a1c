"""A character by its name, in any case."""

from collections.abc import Iterable, Sequence
from contextlib import suppress

from pydantic import Field
from pymongo.database import Database

from db.connection import Document, reading_anything, translated_errors
from db.errors import AmbiguousCharacter, UnknownCharacter
from db.schema.documents.base import Frozen
from db.schema.indexes import NOT_DELETED, WITHOUT_CASE
from db.setup.missing import unknown_character
from storycanvas.net.wording import counted

MAX_NAMED = 10
"""Characters of one name that a refusal lists."""


class NamedCharacter(Frozen):
    """A character as a person tells it from others.

    Attributes:
        project_id: None where the document has none that is a text.
        project: The project's name; its id where it has none.
    """

    id: str
    name: str = ""
    project_id: str | None = None
    project: str = Field("", repr=False)

    def words(self) -> str:
        """Name it by its id and its project, in words that follow `is`."""
        if self.project_id is None:
            return f"{self.id!r} of no project"
        named = f"{self.project!r} ({self.project_id})"
        return f"{self.id!r} of project {named if self.project else repr(self.project_id)}"


def character_called(database: Database[Document], name: str) -> NamedCharacter:
    """Find the character that has a name, in any case; deleted ones do not count.

    Raises:
        UnknownCharacter: There is none.
        AmbiguousCharacter: There are several; names their ids and projects.
    """
    characters = reading_anything(database)["characters"]
    with translated_errors():
        alike = characters.find({"name": name, **NOT_DELETED}, _SHOWN).collation(WITHOUT_CASE)
        found = [*alike.limit(MAX_NAMED + 1)]
        names = project_names(database, (each.get("project_id") for each in found))
    called = [named_character(each, names) for each in found]
    if not called:
        raise unknown_character(
            database,
            f"There is no character {name!r} in the database, by id or by name; find-characters "
            "lists those that there are.",
        )
    if len(called) > 1:
        raise AmbiguousCharacter(_refusal(name, called))
    return called[0]


def ids_of(database: Database[Document], given: Sequence[str]) -> dict[str, str]:
    """Find the ids of characters by what they were named by, each an id or a name in any case.

    One that is neither, or the name of several, is left out.
    """
    characters = reading_anything(database)["characters"]
    with translated_errors():
        known = characters.find({"id": {"$in": [*given]}, **NOT_DELETED}, {"id": True})
        found = {each["id"]: each["id"] for each in known}
    for name in given:
        if name not in found:
            with suppress(UnknownCharacter, AmbiguousCharacter):
                found[name] = character_called(database, name).id
    return found


_SHOWN = {"_id": False, "id": True, "name": True, "project_id": True}


def project_names(database: Database[Document], ids: Iterable[object]) -> dict[str, str]:
    """Read the names of projects by their ids, deleted ones included."""
    wanted = sorted({each for each in ids if isinstance(each, str)})
    if not wanted:
        return {}
    projects = reading_anything(database)["projects"]
    found = projects.find({"id": {"$in": wanted}}, {"_id": False, "id": True, "name": True})
    return {each["id"]: each["name"] for each in found if isinstance(each.get("name"), str)}


def named_character(found: Document, projects: dict[str, str]) -> NamedCharacter:
    """Read what a document tells of a character, whatever it holds."""
    project_id = found.get("project_id")
    known = project_id if isinstance(project_id, str) else None
    return NamedCharacter(
        id=str(found.get("id")),
        name=str(found.get("name") or ""),
        project_id=known,
        project=projects.get(known or "", ""),
    )


def _refusal(name: str, called: Sequence[NamedCharacter]) -> str:
    listed = "; ".join(each.words() for each in called[:MAX_NAMED])
    many = len(called) > MAX_NAMED
    count = f"More than {MAX_NAMED} characters" if many else counted(len(called), "character")
    more = ", and others" if many else ""
    return f"{count} have the name {name!r}: {listed}{more}. Give the id of the one that is meant."
