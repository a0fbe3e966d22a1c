"""What is there: a collection with its validator and its indexes, as the server tells it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pymongo.database import Database

from db.connection import Document
from db.indexes import FoundIndex, found_index


@dataclass(frozen=True)
class FoundCollection:
    """A collection that the database has.

    Attributes:
        kind: `collection`, or else `view` or `timeseries`.
        validation: `validator`, `validationLevel` and `validationAction`, as far as they are set.
        indexes: All but the one on `_id`.
    """

    kind: str = "collection"
    validation: Mapping[str, Any] = field(default_factory=dict)
    indexes: tuple[FoundIndex, ...] = ()


def find_collection(database: Database[Document], name: str) -> FoundCollection | None:
    """Look at a collection, or find that there is none."""
    told = next(iter(database.list_collections(filter={"name": name})), None)
    if told is None:
        return None
    validation = {
        option: value for option, value in told["options"].items() if option.startswith("valid")
    }
    if told["type"] != "collection":
        return FoundCollection(told["type"])
    return FoundCollection(told["type"], validation, find_indexes(database, name))


def find_indexes(database: Database[Document], name: str) -> tuple[FoundIndex, ...]:
    """Look at a collection's indexes but the one on `_id`."""
    told = database[name].list_indexes()
    return tuple(found_index(index) for index in told if index["name"] != "_id_")


def collection_names(database: Database[Document]) -> set[str]:
    """Name the collections that hold documents of their own: no views, no time series."""
    return set(database.list_collection_names(filter={"type": "collection"}))
