"""Values inside the FaceFusion fields of characters that the app's models refuse.

Migration 1 repairs fields of a wrong type and keeps all else, such as a blend of 1.7: only a person
knows what was meant.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, Field, ValidationError
from pymongo.database import Database

from db.connection import Document, reading_anything
from db.migrations.engine.check import MAX_EXAMPLES, Unresolved
from db.migrations.versions.m0001_character_fields import FIELDS
from db.schema.documents.characters import OutputGallery, PreferredSettings, StoredHistoryEntry
from db.schema.validators import validator_of
from storycanvas.net.redact import redact_url

_MAX_VALUE_LENGTH = 60


class _Entry(StoredHistoryEntry):
    created_at: Any = None  # times in every form are read by migrations 5 and 8


class _Fields(BaseModel):
    """The three fields, with what the app's models demand of their values."""

    facefusion_processing_history: list[_Entry] = Field(default_factory=list)
    facefusion_preferred_settings: PreferredSettings | None = None
    facefusion_output_gallery: OutputGallery = Field(default_factory=OutputGallery)


@dataclass
class KeptValues:
    """Invalid values that are in the database, or stay there after the migration.

    Attributes:
        with_field: Characters whose field is right but for such a value, by field.
        complete: Characters that are complete but for such values.
        fields: Characters with such a value, by field.
        documents: Characters with such a value in any field.
        values: Number of such values by path and reason.
        examples: The first characters and their values, by path and reason.
    """

    with_field: Counter[str] = field(default_factory=Counter)
    complete: int = 0
    fields: Counter[str] = field(default_factory=Counter)
    documents: int = 0
    values: Counter[tuple[str, str]] = field(default_factory=Counter)
    examples: defaultdict[tuple[str, str], list[str]] = field(
        default_factory=lambda: defaultdict(list)
    )

    def add(self, document: Document) -> None:
        """Take in a document of `find_kept_values`."""
        right: dict[str, bool] = document["right"]
        fields = set()
        for path, reason, value in _invalid_values(document):
            fields.add(path.partition(".")[0].partition("[")[0])
            self.values[path, reason] += 1
            if len(self.examples[path, reason]) < MAX_EXAMPLES:
                name = document.get("id", document["_id"])
                self.examples[path, reason].append(f"{name} has {value}")
        self.fields.update(fields)
        self.documents += bool(fields)
        self.with_field.update(name for name in fields if right[name])
        self.complete += bool(fields) and all(right.values())

    def unresolved(self) -> tuple[Unresolved, ...]:
        """List the values by path and reason, the most frequent first."""
        return tuple(
            Unresolved(
                what=f"{path} is kept as it is ({reason}); correct it in these characters",
                count=count,
                examples=tuple(self.examples[path, reason]),
            )
            for (path, reason), count in self.values.most_common()
        )


def find_kept_values(database: Database[Document]) -> KeptValues:
    """Find the invalid values that stay after migration 1, whether or not it has run.

    The server sorts out the characters that are valid as they are.
    """
    invalid = {"$nor": [validator_of(_Fields)]}
    migrated = {name: rule(f"${name}") for name, rule in FIELDS.rules.items()}
    shown = {"_id": "$_id", "id": "$id", "right": FIELDS.are_right(), **migrated}
    found = KeptValues()
    characters = reading_anything(database)[FIELDS.collection]
    for document in characters.aggregate([{"$match": invalid}, {"$replaceWith": shown}]):
        found.add(document)
    return found


def _invalid_values(document: Document) -> Iterator[tuple[str, str, str]]:
    """Read each invalid value with its path and what is wrong with it."""
    try:
        _Fields.model_validate(_with_whole_numbers(document), strict=True)
    except ValidationError as error:
        for problem in error.errors(include_url=False, include_context=False):
            value = _shown(problem["input"]) if problem["type"] != "missing" else "no value"
            yield _path(problem["loc"]), problem["msg"], value


def _with_whole_numbers(value: Any) -> Any:  # noqa: ANN401 - whatever is stored
    """Read a double without fraction as the whole number that a shell meant by it."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {name: _with_whole_numbers(part) for name, part in value.items()}
    return [_with_whole_numbers(part) for part in value] if isinstance(value, list) else value


def _path(location: tuple[int | str, ...]) -> str:
    parts = ["[]" if isinstance(part, int) else f".{part}" for part in location]
    return "".join(parts).removeprefix(".")


def _shown(value: object) -> str:
    """Write a value in one short line; an address without its secrets."""
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    text = repr(redact_url(value) if isinstance(value, str) and "://" in value else value)
    return text if len(text) <= _MAX_VALUE_LENGTH else f"{text[: _MAX_VALUE_LENGTH - 3]}..."
