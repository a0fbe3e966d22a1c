"""What has to change in a collection to match the registry; nothing is changed here."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import pymongo.collection
from pymongo.database import Database

from db.connection import Document
from db.schema.collections import COLLECTIONS, Collection
from db.schema.indexes import FoundIndex, Index, found_index
from db.schema.validators import validator_of
from db.setup.report import Duplicates, Finding


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
    """Read a collection's options and indexes; None when it is missing."""
    stored = next(iter(database.list_collections(filter={"name": name})), None)
    if stored is None:
        return None
    validation = {
        option: value for option, value in stored["options"].items() if option.startswith("valid")
    }
    if stored["type"] != "collection":
        return FoundCollection(stored["type"])
    return FoundCollection(stored["type"], validation, find_indexes(database, name))


def find_indexes(database: Database[Document], name: str) -> tuple[FoundIndex, ...]:
    """Read a collection's indexes except the one on `_id`."""
    stored = database[name].list_indexes()
    return tuple(found_index(index) for index in stored if index["name"] != "_id_")


def collection_names(database: Database[Document]) -> set[str]:
    """Name the collections that hold documents of their own: no views, no time series."""
    return set(database.list_collection_names(filter={"type": "collection"}))


MAX_EXAMPLES = 20
"""Sets of duplicates that a report lists; it counts them all."""
IDS = 5
"""Documents of a set that a report names; it counts them all."""


def find_duplicates(
    collection: pymongo.collection.Collection[Document], index: Index
) -> tuple[int, tuple[Duplicates, ...]]:
    """Find documents that a unique index would refuse beside each other.

    The server compares them as the index would: only the documents that would be in it, a missing
    field as null, each value of a list by itself, texts by the index's collation. The answer counts
    all sets and holds the largest.
    """
    first_ids = {"$firstN": {"input": "$_id", "n": IDS}}
    values = _values(index)
    each: list[Document] = [
        {"$unwind": {"path": f"${number}", "preserveNullAndEmptyArrays": True}} for number in values
    ]
    shared = {number: f"${number}" for number in values}
    pipeline = [
        {"$match": _indexed(index)},
        {"$project": values},
        *each,
        {"$group": {"_id": shared, "count": {"$sum": 1}, "ids": first_ids}},
        {"$match": {"count": {"$gt": 1}}},
        {"$sort": {"count": -1, "_id": 1}},
        {"$facet": {"sets": [{"$limit": MAX_EXAMPLES}], "all": [{"$count": "count"}]}},
    ]
    collation = dict(index.collation or {"locale": "simple"})
    stored = collection.aggregate(pipeline, collation=collation, allowDiskUse=True).next()
    count = stored["all"][0]["count"] if stored["all"] else 0
    return count, tuple(_duplicates(index, document) for document in stored["sets"])


def _indexed(index: Index) -> Document:
    if index.sparse:
        return {"$or": [{field: {"$exists": True}} for field, _ in index.keys]}
    return dict(index.partial or {})


def _values(index: Index) -> Document:
    """Number the values, since a name in a document may not hold a dot; a list has each once.

    An empty list counts as a value of its own, which `$unwind` keeps in this way.
    """
    return {
        f"{number}": {
            "$switch": {
                "branches": [
                    {"case": {"$eq": [f"${field}", []]}, "then": [[]]},
                    {"case": {"$isArray": f"${field}"}, "then": {"$setUnion": [f"${field}"]}},
                ],
                "default": {"$ifNull": [f"${field}", None]},
            }
        }
        for number, (field, _) in enumerate(index.keys)
    }


def _duplicates(index: Index, document: Document) -> Duplicates:
    values: dict[str, Any] = document["_id"]
    return Duplicates(
        values={field: _shown(values[str(number)]) for number, (field, _) in enumerate(index.keys)},
        count=document["count"],
        ids=tuple(map(str, document["ids"])),
    )


def _shown(value: object) -> str:
    return "null" if value is None else repr(value)


ValidationAction = Literal["as it is", "warn", "error"]
"""What the server does about invalid documents; `as it is` leaves that to each collection."""

_STRANGE_UNIQUE = "It is unique, so it may refuse documents that the registry allows."
_UNLIKE_TYPE = "A {kind} has this name; rename it, then run init-db again."
_NAME_TAKEN = (
    "An index on other fields has this name; drop it, or create it again under another name, then "
    "run init-db again."
)
_OTHER_TEXTS = (
    "A collection can have one text index, and {name} searches other fields; drop it if nothing "
    "needs it, then run init-db again."
)


@dataclass(frozen=True)
class Difference:
    """One part of a collection, whether it differs or not.

    Attributes:
        finding: What is to be reported, once the change is made.
        index: The index that should be there, where it is about one.
        replaces: Indexes on the same fields that stand in its place.
        displaces: Indexes of the registry under a wrong name, which is the name of this one.
    """

    finding: Finding
    index: Index | None = None
    replaces: tuple[FoundIndex, ...] = ()
    displaces: tuple[FoundIndex, ...] = ()

    @property
    def needs_change(self) -> bool:
        """Whether there is something to create or to repair."""
        return self.finding.outcome in {"created", "repaired"}


def validation_actions(database: Database[Document], action: ValidationAction) -> dict[str, str]:
    """Decide what the server is to do about invalid documents, by collection.

    Where the action is left as it is, a collection that has none gets `error` only if all others
    have it: a database that refuses invalid documents goes on doing so when a collection is added.
    """
    names = [collection.name for collection in COLLECTIONS]
    if action != "as it is":
        return dict.fromkeys(names, action)
    found = {
        stored["name"]: stored["options"]["validationAction"]
        for stored in database.list_collections(filter={"name": {"$in": names}})
        if "validationAction" in stored["options"]
    }
    default = "error" if set(found.values()) == {"error"} else "warn"
    return {name: found.get(name, default) for name in names}


def validation(collection: Collection, action: str) -> dict[str, Any]:
    """Build the options that validate a collection's documents.

    Level `moderate` leaves alone the updates of documents that were invalid before.
    """
    return {
        "validator": validator_of(collection.document),
        "validationLevel": "moderate",
        "validationAction": action,
    }


def differences(
    collection: Collection, found: FoundCollection | None, action: str
) -> list[Difference]:
    """Compare a collection with the registry, without looking at anything else.

    The collection, its validator and each index come in this order, then what is not in the
    registry. A collection of the app alone has no difference: it is there or not.
    """
    name = collection.name
    if collection.app_owned:
        there = Finding(collection=name, kind="collection", name=name, outcome="existing")
        return [Difference(there)] if found else []
    if found is None:
        created = [
            Finding(collection=name, kind="collection", name=name, outcome="created"),
            Finding(collection=name, kind="validator", name="validator", outcome="created"),
        ]
        return [
            *map(Difference, created),
            *(_of_index(collection, index, ()) for index in collection.indexes),
        ]
    if found.kind != "collection":
        reason = _UNLIKE_TYPE.format(kind=found.kind)
        return [
            Difference(
                Finding(
                    collection=name, kind="collection", name=name, outcome="blocked", reason=reason
                )
            )
        ]
    return [
        Difference(Finding(collection=name, kind="collection", name=name, outcome="existing")),
        _of_validator(collection, found, action),
        *(_of_index(collection, index, found.indexes) for index in collection.indexes),
        *_strange_indexes(collection, found.indexes),
    ]


def _of_validator(collection: Collection, found: FoundCollection, action: str) -> Difference:
    wanted = validation(collection, action)
    differing = [option for option in wanted if found.validation.get(option) != wanted[option]]
    lacking = not found.validation.get("validator")
    outcome: Literal["created", "repaired", "existing"] = "existing"
    if differing:
        outcome = "created" if lacking else "repaired"
    return Difference(
        Finding(
            collection=collection.name,
            kind="validator",
            name="validator",
            outcome=outcome,
            reason=_differs_in(differing) if outcome == "repaired" else "",
        )
    )


def _of_index(collection: Collection, index: Index, found: tuple[FoundIndex, ...]) -> Difference:
    existing = Finding(
        collection=collection.name, kind="index", name=index.name, outcome="existing"
    )
    if _stands(index, found):
        return Difference(existing, index)
    same = _in_its_place(index, found)
    holders = tuple(other for other in found if other.name == index.name and other not in same)
    rivals = [other.name for other in found if other.keeps_out(index)]
    if rivals:
        change = {"outcome": "blocked", "reason": _OTHER_TEXTS.format(name=rivals[0])}
    elif not all(_is_misnamed(holder, collection, found) for holder in holders):
        change = {"outcome": "blocked", "reason": _NAME_TAKEN}
    elif same:
        change = {"outcome": "repaired", "reason": _differs_in(_unlike(index, same[0]))}
    else:
        change = {"outcome": "created"}
    return Difference(existing.model_copy(update=change), index, same, holders)


def _in_its_place(index: Index, found: tuple[FoundIndex, ...]) -> tuple[FoundIndex, ...]:
    """Choose what an earlier version made in its place, then what is on the same fields."""
    former = tuple(other for other in found if other.is_former_of(index))
    return (*former, *(other for other in found if other.keys == index.stored_keys))


def _stands(index: Index, found: tuple[FoundIndex, ...]) -> bool:
    """Check that an index is as it should be, and nothing of an earlier version beside it."""
    former = any(other.is_former_of(index) for other in found)
    return not former and any(other.is_as(index) for other in found)


def _is_misnamed(holder: FoundIndex, collection: Collection, found: tuple[FoundIndex, ...]) -> bool:
    """Check that an index is replaced in this run anyway, as one of the registry's."""
    return any(
        holder in _in_its_place(index, found) and not _stands(index, found)
        for index in collection.indexes
    )


def _strange_indexes(collection: Collection, found: tuple[FoundIndex, ...]) -> Iterator[Difference]:
    for other in found:
        if any(other.is_former_of(index) for index in collection.indexes):
            continue
        on_same = [index for index in collection.indexes if index.stored_keys == other.keys]
        beside = [index for index in on_same if any(existing.is_as(index) for existing in found)]
        if not on_same or (beside and not any(other.is_as(index) for index in beside)):
            reason = _STRANGE_UNIQUE if other.options.get("unique") else ""
            yield Difference(
                Finding(
                    collection=collection.name,
                    kind="index",
                    name=other.name,
                    outcome="unknown",
                    reason=reason,
                )
            )


def _unlike(index: Index, other: FoundIndex) -> list[str]:
    options = sorted({*index.options, *other.options})
    unlike = [] if other.keys == index.stored_keys else ["fields"]
    unlike += [name for name in options if index.options.get(name) != other.options.get(name)]
    return unlike if index.name == other.name else [*unlike, "name"]


def _differs_in(names: list[str]) -> str:
    return f"It differs in {', '.join(names)}."
