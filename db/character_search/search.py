"""Searching characters; an answer takes a moment, however long their histories are.

Documents of characters are large, so none is read that is not shown: which names there are stands
in an index, and only the characters of the first names are read.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bson.min_key import MinKey
from pymongo.database import Database

from db.character_search.found import (
    MAX_FOUND,
    SHOWN,
    CharacterQuery,
    CharactersFound,
    FoundCharacter,
    containing,
)
from db.character_search.names import project_names
from db.connection import Document, reading_anything, translated_errors
from db.schema.collections import CHARACTER_NAMES, PROJECT_CHARACTERS
from db.schema.indexes import NOT_DELETED, WITHOUT_CASE, Index

MAX_PROJECTS = 1000
"""Projects of one search by a part of their name."""


def find_characters(database: Database[Document], wanted: CharacterQuery) -> CharactersFound:
    """List characters by name, `MAX_FOUND` at most."""
    with translated_errors():
        return _Search(database, wanted).found()


class _Search:
    def __init__(self, database: Database[Document], wanted: CharacterQuery) -> None:
        self._database = reading_anything(database)
        self._characters = self._database["characters"]
        self._wanted = wanted
        self._indexes = set(self._characters.index_information())

    def found(self) -> CharactersFound:
        projects = self._projects()
        if projects == []:
            return CharactersFound(wanted=self._wanted, unknown_project=True)
        documents = [*self._documents(projects).values()]
        shown = sorted(documents, key=lambda each: (_key(each.get("name")), str(each.get("id"))))
        names = project_names(self._database, (each.get("project_id") for each in shown))
        listed = [FoundCharacter.of(each, names) for each in shown[:MAX_FOUND]]
        more = len(shown) > MAX_FOUND
        return CharactersFound(wanted=self._wanted, characters=tuple(listed), more=more)

    def _projects(self) -> list[str] | None:
        """Find the ids of the projects that are asked for; None for any."""
        asked = self._wanted.project
        if asked is None:
            return None
        condition = {"$or": [{"id": asked}, {"name": containing(asked)}], **NOT_DELETED}
        found = self._database["projects"].find(condition, {"id": True}).limit(MAX_PROJECTS)
        ids = [each["id"] for each in found if isinstance(each.get("id"), str)]
        return ids or ([asked] if self._has_characters(asked) else [])

    def _has_characters(self, project_id: str) -> bool:
        """Check for characters whose project is not in the database."""
        return self._characters.find_one({"project_id": project_id}, {"_id": True}) is not None

    def _documents(self, projects: list[str] | None) -> dict[object, Document]:
        if self._wanted.text is None and projects is None:
            return self._read(Reading(None, None))
        found: dict[object, Document] = {}
        for names in _parts(self._names(projects)):
            found |= self._read(Reading(names, projects))
            if len(found) > MAX_FOUND:
                break
        return found

    def _names(self, projects: list[str] | None) -> dict[str, list[str]]:
        """List the names that are asked for, each as often as it is there, by what sorts them."""
        # Without a condition on its first field MongoDB reads the documents beside the index.
        within: Document = {"$gte": MinKey()} if projects is None else {"$in": projects}
        which: Document = {"project_id": within}
        if self._wanted.text is not None:
            which["name"] = containing(self._wanted.text)
        found = self._characters.find(which, {"_id": False, "name": True})
        if PROJECT_CHARACTERS.name in self._indexes:
            found = found.hint(PROJECT_CHARACTERS.name)
        names = defaultdict(list)
        for each in found:
            if isinstance(each.get("name"), str):
                names[_key(each["name"])].append(each["name"])
        return names

    def _read(self, reading: "Reading") -> dict[object, Document]:
        hint: Document = {"hint": reading.index.name} if reading.index.name in self._indexes else {}
        read = self._characters.aggregate(reading.stages, **reading.options, **hint)
        return {each["_id"]: each for each in read}


@dataclass(frozen=True)
class Reading:
    """How the characters of some names are read.

    Attributes:
        names: In this very spelling, if within projects; None for all, the first by name.
        projects: Ids of projects; None for any.
    """

    names: Sequence[str] | None
    projects: Sequence[str] | None

    @property
    def index(self) -> Index:
        """The index that finds them: names of any project are in the one that knows no case."""
        return CHARACTER_NAMES if self.projects is None else PROJECT_CHARACTERS

    @property
    def options(self) -> Document:
        """The comparison of texts, which decides what an index can answer."""
        return {"collation": dict(WITHOUT_CASE)} if self.projects is None else {}

    @property
    def stages(self) -> list[Document]:
        """Stages that read one more than are shown; the sort is that of the index, or of names."""
        which: Document = dict(NOT_DELETED)
        if self.projects is not None:
            which["project_id"] = {"$in": [*self.projects]}
        if self.names is not None:
            which["name"] = {"$in": [*self.names]}
        sort: list[Document] = [{"$sort": {"name": 1}}] if self.projects is None else []
        return [{"$match": which}, *sort, {"$limit": MAX_FOUND + 1}, {"$project": SHOWN}]


def _key(name: object) -> str:
    return str(name or "").casefold()


def _parts(names: dict[str, list[str]]) -> Iterator[list[str]]:
    """Cut names, in order, into parts that no limit cuts but where a name is very common."""
    part: list[str] = []
    count = 0
    for key in sorted(names):
        spellings = names[key]
        if part and count + len(spellings) > MAX_FOUND + 1:
            yield part
            part, count = [], 0
        part += dict.fromkeys(spellings)
        count += len(spellings)
    if part:
        yield part
