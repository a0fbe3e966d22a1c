"""What is asked of saved presets and answered: one that was saved, and a list of them."""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from pydantic import Field

from db.connection import Document
from db.schema.documents.base import Frozen
from storycanvas.net.wording import counted

MAX_LISTED = 1_000
"""Presets of one list; it counts all of them."""
_MAX_TEXT = 300
_MAX_CHANGES = 5
"""Changes that a summary names; the table has all of them."""


class PresetValues(Frozen):
    """What a person saves as a preset; `parameters` have been checked."""

    name: str
    operation_type: str
    parameters: dict[str, Any]
    description: str | None = None
    is_public: bool = False
    user_id: str | None = None


VALUES = tuple(PresetValues.model_fields)


class SavedPreset(Frozen):
    """A preset that was saved.

    Attributes:
        values: As they are stored now.
        before: The values that were replaced; None of a new preset.
    """

    id: str
    values: PresetValues
    before: dict[str, Any] | None = None

    @property
    def name(self) -> str:
        """The name of the preset."""
        return self.values.name

    def values_by_field(self) -> Iterator[tuple[str, str, str]]:
        """List field, old and new value as texts, each parameter by itself; no old ones if new."""
        old, new = _flat(self.before or {}), _flat(self.values.model_dump())
        for field in dict.fromkeys([*new, *old]):
            before = "" if self.before is None else value_text(old.get(field))
            yield field, before, value_text(new.get(field))

    def changes(self) -> Iterator[tuple[str, str, str]]:
        """List field, old and new value, where they differ."""
        return (change for change in self.values_by_field() if change[1] != change[2])

    def summary(self) -> str:
        """State in a sentence what was saved or replaced."""
        named = f"the preset {self.name!r} ({self.values.operation_type}, id {self.id})"
        if self.before is None:
            return f"Saved {named}: {values_text(self.values.parameters)}."
        changes = [f"{field} {old} → {new}" for field, old, new in self.changes()]
        if not changes:
            return f"Replaced {named}: it has the same values as before."
        more = len(changes) - _MAX_CHANGES
        rest = [f"{more} more"] if more > 0 else []
        return f"Replaced {named}: {', '.join([*changes[:_MAX_CHANGES], *rest])}."


class PresetQuery(Frozen):
    """Which presets are listed.

    Attributes:
        operation_type: Those for this operation, or chains; None takes all.
        user_id: Lists the private ones of this user, too.
        text: Part of name or description, in any case; its characters stand for themselves.
    """

    operation_type: str | None = None
    user_id: str | None = None
    text: str | None = None

    @property
    def visible(self) -> Document:
        """The condition that a preset may be shown."""
        shown: list[Document] = [{"is_public": True}, {"user_id": None}]
        return {"$or": shown if self.user_id is None else [*shown, {"user_id": self.user_id}]}

    @property
    def condition(self) -> Document:
        """The condition that a preset may be shown and is asked for."""
        asked: list[Document] = [self.visible]
        if self.text is not None:
            # A regular expression of MongoDB holds no NUL itself.
            literal = re.escape(self.text).replace("\0", r"\x00")
            matching = {"$regex": literal, "$options": "i"}
            asked.append({"$or": [{"name": matching}, {"description": matching}]})
        if self.operation_type is not None:
            asked.append({"operation_type": self.operation_type})
        return {"$and": asked}

    def words(self) -> str:
        """Word what is asked for, to follow a noun."""
        kind = f" for {self.operation_type}" if self.operation_type else ""
        return f"{kind} with {self.text!r} in name or description" if self.text else kind


class ListedPreset(Frozen):
    """A preset as a list shows it; what the app wrote may lack any of it, or be of other types."""

    id: str
    name: str
    operation_type: str
    values: str
    description: str
    public: bool
    use_count: int
    last_used: str

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> "ListedPreset":
        """Read a document, whatever it holds."""
        last = found.get("last_used_at")
        return cls(
            id=str(found.get("id", "")),
            name=str(found.get("name", "")),
            operation_type=str(found.get("operation_type", "")),
            values=values_text(found.get("parameters")),
            description=str(found.get("description") or ""),
            public=found.get("is_public") is True,
            use_count=found["use_count"],
            last_used=f"{last:%Y-%m-%d %H:%M}" if isinstance(last, datetime) else "",
        )

    def line(self) -> str:
        """Describe it in a line."""
        used = f"used {counted(self.use_count, 'time')}"
        return f"{self.name} ({self.operation_type}, id {self.id}, {used}): {self.values}"


class PresetsFound(Frozen):
    """A list of presets, the most used first.

    Attributes:
        count: How many there are; at most `MAX_LISTED` are listed.
        types: Counts of all that may be shown by their type, where none was found.
    """

    wanted: PresetQuery
    presets: tuple[ListedPreset, ...] = ()
    count: int = 0
    types: dict[str, int] = Field(default_factory=dict)

    def summary(self) -> str:
        """Count in a sentence what was found, or state what there is instead."""
        words = self.wanted.words()
        if self.count > len(self.presets):
            return (
                f"The {len(self.presets)} most used of {self.count} presets{words}; name a type or "
                "a text to see others."
            )
        if self.presets:
            return f"{counted(self.count, 'preset')}{words}, the most used first."
        private = "" if self.wanted.user_id else " Private presets of a user need user_id."
        if not self.types:
            return f"There are no presets yet; save-preset saves one.{private}"
        there = ", ".join(f"{count} for {kind}" for kind, count in self.types.items())
        return f"There is no preset{words}. There are: {there}.{private}"


def values_text(parameters: object) -> str:
    """Write the parameters of a preset in a line: of a chain the names of its steps."""
    if not isinstance(parameters, Mapping) or not parameters:
        return "no values"
    steps = parameters.get("steps")
    if isinstance(steps, list):
        names = [str(step.get("name")) for step in steps if isinstance(step, Mapping)]
        return _cut(f"steps {', '.join(names)}")
    return _cut(", ".join(f"{name} {value_text(value)}" for name, value in parameters.items()))


def value_text(value: object) -> str:
    """Write a stored value, in a few words however large it is; null as `none`."""
    if value is None:
        return "none"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return _cut(text)


def _flat(values: Mapping[str, Any]) -> dict[str, Any]:
    """Put each parameter beside the other values; those of a preset have names of their own."""
    parameters = values.get("parameters")
    parts = parameters if isinstance(parameters, Mapping) else {}
    return {name: value for name, value in values.items() if name != "parameters"} | {
        f"parameters.{name}": value for name, value in parts.items()
    }


def _cut(text: str) -> str:
    return text if len(text) <= _MAX_TEXT else f"{text[:_MAX_TEXT]}…"
