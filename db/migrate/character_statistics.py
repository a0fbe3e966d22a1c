"""How many characters have their FaceFusion fields as they should be."""

from collections.abc import Iterator

from pydantic import BaseModel, ConfigDict
from pymongo.database import Database

from db.connection import Document, translated_errors
from db.migrate.in_ranges import in_ranges
from db.migrations.m0001_character_fields import FIELDS


class CharacterStatistics(BaseModel):
    """The counts of seed 001's migration script.

    Attributes:
        total: All characters, deleted ones included.
        with_field: How many have each field as it should be.
        complete: How many have all of them so.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    total: int
    with_field: dict[str, int]
    complete: int

    def lines(self) -> Iterator[str]:
        """Say each count in one line."""
        yield f"characters: {self.total}"
        for name, count in self.with_field.items():
            yield f"with {name}: {count}"
        yield f"complete: {self.complete}"


def character_statistics(database: Database[Document]) -> CharacterStatistics:
    """Count characters.

    Args:
        database: The StoryCanvas database.

    Raises:
        db.errors.DatabaseError: The server cannot be reached or refuses the user.
    """
    with translated_errors():
        return _count(database)


def _count(database: Database[Document]) -> CharacterStatistics:
    characters = database[FIELDS.collection]
    right = FIELDS.are_right()
    sums = {str(number): {"$sum": {"$toInt": test}} for number, test in enumerate(right.values())}
    group = {"_id": None, "total": {"$sum": 1}, **sums}
    group["complete"] = {"$sum": {"$toInt": {"$and": [*right.values()]}}}
    names = ["total", *sums, "complete"]
    totals = dict.fromkeys(names, 0)

    def add(found: Document) -> None:
        for name in names:
            totals[name] += found.get(name, 0)

    in_ranges(
        characters,
        lambda which: next(characters.aggregate([{"$match": which}, {"$group": group}]), {}),
        add,
    )
    return CharacterStatistics(
        total=totals["total"],
        with_field=dict(zip(right, (totals[name] for name in sums), strict=True)),
        complete=totals["complete"],
    )
