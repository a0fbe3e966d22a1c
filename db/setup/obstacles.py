"""Why MongoDB would refuse an index, found before it is asked.

A dry run and `audit-db` report the same as `init-db` does, so that none of them advises to run the
other in vain.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import combinations
from typing import Any

from pymongo.collection import Collection

from db.connection import Document
from db.schema.indexes import FoundIndex, Index
from db.setup.compare import IDS, Difference, find_duplicates

MAX_INDEXES = 64
"""Indexes of a collection, the one on `_id` included (MongoDB manual, Limits and Thresholds)."""

_TOO_MANY = (
    f"The collection would have more than {MAX_INDEXES} indexes, which MongoDB refuses; drop what "
    "is not needed of those that are reported as unknown, then run init-db again."
)
_PARALLEL_LISTS = (
    "{count} document(s) hold lists in more than one of the fields {fields} (_id {ids}), which "
    "MongoDB takes into no index together; correct these fields, then run init-db again."
)
_LANGUAGES = frozenset(
    (
        *("danish", "dutch", "english", "finnish", "french", "german", "hungarian", "italian"),
        *("norwegian", "portuguese", "romanian", "russian", "spanish", "swedish", "turkish"),
        *("da", "nl", "en", "fi", "fr", "de", "hu", "it", "nb", "pt", "ro", "ru", "es", "sv", "tr"),
        "none",
    )
)
"""Of text indexes, in any case (MongoDB manual, Text Search Languages; seen in 6.0.5)."""
_KNOWN_LANGUAGE = rf"^({'|'.join(sorted(_LANGUAGES))})\z"
_OTHER_LANGUAGES = (
    "{count} document(s) have a language that MongoDB's text index does not know (_id {ids}); "
    "remove or correct it in {fields}, then run init-db again."
)
_DUPLICATES = (
    "{count} set(s) of documents share values that must be unique; change all but one document of "
    "each set, then run init-db again."
)


def limited(differences: Iterable[Difference], found: Iterable[FoundIndex]) -> Iterator[Difference]:
    """Block the indexes for which a collection has no room, in the order of their creation."""
    count = 1 + len([*found])
    for difference in differences:
        if difference.index and difference.needs_change:
            index = difference.index
            first = [old for old in difference.replaces if old.keys == index.stored_keys]
            if count - len(first) + 1 > MAX_INDEXES:
                yield _blocked(difference, reason=_TOO_MANY)
                continue
            count += 1 - len(difference.replaces)
        yield difference


def unless_refused(collection: Collection[Document], difference: Difference) -> Difference:
    """Block an index that the documents of its collection keep out."""
    index = difference.index
    if index is None or not difference.needs_change:
        return difference
    if reason := _parallel_lists(collection, index) or _other_languages(collection, index):
        return _blocked(difference, reason=reason)
    if index.unique:
        count, duplicates = find_duplicates(collection, index)
        if count:
            reason = _DUPLICATES.format(count=count)
            return _blocked(
                difference, reason=reason, duplicates=duplicates, duplicate_groups=count
            )
    return difference


def _blocked(difference: Difference, **found: Any) -> Difference:
    blocked = {"outcome": "blocked", **found}
    return replace(difference, finding=difference.finding.model_copy(update=blocked))


def _parallel_lists(collection: Collection[Document], index: Index) -> str:
    """Find documents with lists in two fields of an index; no index of ours goes into a list."""
    names = [] if index.weights else [field for field, _ in index.keys]
    pairs = [[{name: {"$type": "array"}} for name in pair] for pair in combinations(names, 2)]
    if not pairs:
        return ""
    lists: Document = {"$or": [{"$and": pair} for pair in pairs]}
    wanted = {"$and": [lists, dict(index.partial)]} if index.partial else lists
    return _listed(collection, wanted, _PARALLEL_LISTS, names)


def _other_languages(collection: Collection[Document], index: Index) -> str:
    """Find documents whose `language` a text index refuses, also that of an object with texts."""
    if not index.weights:
        return ""
    parts = [field.split(".")[:-1] for field in index.weights]
    paths = sorted({".".join(part[:depth]) for part in parts for depth in range(1, len(part) + 1)})
    known = {"$type": "string", "$regex": _KNOWN_LANGUAGE, "$options": "i"}
    # A list counts as each of its values to a query, but not to an index.
    is_wrong = [{"$exists": True, "$not": known}, {"$type": "array"}]
    wrong: list[Document] = [{"language": test} for test in is_wrong]
    within: list[Document] = [{path: {"$elemMatch": {"$or": wrong}}} for path in paths]
    plain = [{f"{path}.language": test} for path in paths for test in is_wrong]
    names = ["language", *(f"{path}.language" for path in paths)]
    return _listed(collection, {"$or": [*wrong, *plain, *within]}, _OTHER_LANGUAGES, names)


def _listed(
    collection: Collection[Document], wanted: Document, sentence: str, names: Iterable[str]
) -> str:
    ids = [repr(document["_id"]) for document in collection.find(wanted, {"_id": 1}).limit(IDS + 1)]
    if not ids:
        return ""
    count = len(ids) if len(ids) <= IDS else collection.count_documents(wanted)
    shown = ", ".join([*ids[:IDS], *(["..."] if count > IDS else [])])
    return sentence.format(count=count, fields=", ".join(names), ids=shown)
