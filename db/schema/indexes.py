"""An index as it should be, in the terms in which the server describes it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pymongo import ASCENDING, DESCENDING, TEXT

Keys = tuple[tuple[str, int | str], ...]
Options = dict[str, Any]

NOT_DELETED: Mapping[str, Any] = {"deleted_at": None}
"""Selects what is not marked as deleted."""
WITHOUT_CASE: Mapping[str, Any] = {"locale": "en", "strength": 2}

_TEXT_KEYS: Keys = (("_fts", TEXT), ("_ftsx", ASCENDING))
_NOT_OPTIONS = {"v", "key", "name", "ns", "background", "textIndexVersion", "2dsphereIndexVersion"}
_DEFAULTS = {
    "unique": False,
    "sparse": False,
    "hidden": False,
    "default_language": "english",
    "language_override": "language",
}
_COLLATION_DEFAULTS = {
    "caseLevel": False,
    "caseFirst": "off",
    "strength": 3,
    "numericOrdering": False,
    "alternate": "non-ignorable",
    "maxVariable": "punct",
    "normalization": False,
    "backwards": False,
}


@dataclass(frozen=True)
class Index:
    """An index of a collection.

    Attributes:
        fields: Field names in their order; a dash before a name means descending.
        sparse: Whether documents without the fields are left out.
        partial: Which documents are in it; all when empty.
        collation: How texts are compared; byte by byte when empty.
        weights: Field names and their weights, for a text index, which has no `fields`.
        expire_after: Seconds after the time in its only field at which a document goes.
    """

    fields: tuple[str, ...] = ()
    unique: bool = False
    sparse: bool = False
    partial: Mapping[str, Any] | None = None
    collation: Mapping[str, Any] | None = None
    weights: Mapping[str, int] | None = None
    expire_after: int | None = None

    @property
    def keys(self) -> Keys:
        """Fields and their directions, as the driver takes them."""
        if self.weights:
            return tuple((field, TEXT) for field in self.weights)
        return tuple(
            (field.lstrip("-"), DESCENDING if field.startswith("-") else ASCENDING)
            for field in self.fields
        )

    @property
    def former(self) -> "Index | None":
        """What held values apart until a deletion before `deleted_at` was among the fields."""
        *fields, last = self.fields or ("",)
        if not self.unique or last != "deleted_at":
            return None
        return Index(tuple(fields), unique=True, partial=NOT_DELETED)

    @property
    def stored_keys(self) -> Keys:
        """Fields and their directions, as the server lists them."""
        return _TEXT_KEYS if self.weights else self.keys

    @property
    def name(self) -> str:
        """The name that MongoDB itself gives, so that the app's own indexes are recognised."""
        return "_".join(f"{field}_{direction}" for field, direction in self.keys)

    @property
    def options(self) -> Options:
        """What is not the server's default."""
        named: Options = {
            "unique": self.unique,
            "sparse": self.sparse,
            "partialFilterExpression": self.partial,
            "weights": self.weights,
            "collation": self.collation and _COLLATION_DEFAULTS | dict(self.collation),
            "expireAfterSeconds": self.expire_after,
        }
        return {option: value for option, value in named.items() if value}

    @property
    def creation(self) -> Options:
        """Options for creating it; a collection's own collation would else be inherited."""
        return {"collation": {"locale": "simple"}, **self.options, "name": self.name}


@dataclass(frozen=True)
class FoundIndex:
    """An index that a collection has.

    Attributes:
        options: What is not the server's default.
    """

    name: str
    keys: Keys
    options: Options

    def is_as(self, index: Index) -> bool:
        """Compare with the index that should be there, name included."""
        return (self.name, self.keys, self.options) == (
            index.name,
            index.stored_keys,
            index.options,
        )

    def is_former_of(self, index: Index) -> bool:
        """Whether an earlier version made it in the place of an index, with any collation."""
        former = index.former
        return former is not None and (self.keys, self.options | {"collation": None}) == (
            former.keys,
            former.options | {"collation": None},
        )

    def keeps_out(self, index: Index) -> bool:
        """Whether it searches other texts than a text index; a collection can have only one."""
        is_text = any(kind == TEXT for _, kind in self.keys)
        if not (index.weights and is_text):
            return False
        return self.keys != _TEXT_KEYS or not self.options["weights"].keys() <= index.weights.keys()

    @property
    def creation_keys(self) -> Keys:
        """Fields and their directions, as the driver takes them."""
        if self.keys == _TEXT_KEYS:
            return tuple((field, TEXT) for field in self.options["weights"])
        return self.keys

    @property
    def creation(self) -> Options:
        """Options for creating it again as it was."""
        return {"collation": {"locale": "simple"}, **self.options, "name": self.name}


def found_index(stored: Mapping[str, Any]) -> FoundIndex:
    """Read a document of the server's `listIndexes`, without what is the default."""
    options = {
        option: _plain(value)
        for option, value in stored.items()
        if option not in _NOT_OPTIONS and value != _DEFAULTS.get(option, _NOT_OPTIONS)
    }
    if "collation" in options:
        options["collation"].pop("version", None)
    keys = tuple(
        (field, kind if isinstance(kind, str) else int(kind))
        for field, kind in stored["key"].items()
    )
    return FoundIndex(stored["name"], keys, options)


def _plain(value: object) -> Any:  # noqa: ANN401 - whatever an option may be
    """Turn the driver's ordered documents into dicts, whose order does not count."""
    if isinstance(value, Mapping):
        return {name: _plain(part) for name, part in value.items()}
    return value
