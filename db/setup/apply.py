"""Bringing every collection of a database to what the registry defines.

It may be run at any time, by any number of processes at once, and killed at any moment: the next
run compares again and does what is left.
"""

import time
from collections import abc
from collections.abc import Iterable, Iterator
from contextlib import suppress

from pymongo import IndexModel
from pymongo.database import Database
from pymongo.errors import OperationFailure

from db.connection import Document, reading_anything, translated_errors
from db.errors import NAME_DIFFERS_IN_CASE, REFUSALS
from db.schema.collections import COLLECTIONS, Collection
from db.schema.indexes import FoundIndex, Index
from db.setup.compare import (
    Difference,
    ValidationAction,
    differences,
    find_collection,
    find_indexes,
    validation,
    validation_actions,
)
from db.setup.expiry import expiring_indexes
from db.setup.missing import leave_different
from db.setup.obstacles import limited, unless_refused
from db.setup.report import Finding, InitReport


def put_index(
    database: Database[Document], name: str, index: Index, replaces: abc.Collection[FoundIndex]
) -> None:
    """Create an index in the place of others; if that fails, they are put back.

    Those on other fields go last, so that at no time nothing holds the values apart. A name may
    have changed since `replaces` was read.
    """
    collection = database[name]
    of_others = [(other.keys, other.options) for other in replaces]
    replaced = [
        found for found in find_indexes(database, name) if (found.keys, found.options) in of_others
    ]
    in_the_way = [
        other for other in replaced if other.keys == index.stored_keys or other.name == index.name
    ]
    for other in in_the_way:
        collection.drop_index(other.name)
    try:
        collection.create_index(index.keys, **index.creation)
    except OperationFailure:
        for other in in_the_way:
            with suppress(OperationFailure):
                collection.create_index(other.creation_keys, **other.creation)
        raise
    for other in replaced:
        if other not in in_the_way:
            collection.drop_index(other.name)


def _move_aside(database: Database[Document], name: str, holder: FoundIndex) -> None:
    """Free the name of an index; the index gets its own in its turn, unless that came before."""
    if holder not in find_indexes(database, name):
        return
    collection, keys = database[name], holder.creation_keys
    collection.drop_index(holder.name)
    try:
        collection.create_index(keys, **{**holder.creation, "name": f"{holder.name}_moved"})
    except OperationFailure:
        with suppress(OperationFailure):
            collection.create_index(keys, **holder.creation)
        raise


PAUSES = (0.0, 0.04, 0.08, 0.16, 0.32)
"""Seconds before each comparison of a collection that another process changes meanwhile."""

_NO_RIGHT = (
    "MongoDB refuses this user to change a collection that is there (error {code}), so its "
    "documents are not checked; run init-db once as a user who has the role dbAdmin, too."
)
_CONCURRENT_CHANGE = {
    26,  # NamespaceNotFound
    27,  # IndexNotFound
    48,  # NamespaceExists
    68,  # IndexAlreadyExists
    85,  # IndexOptionsConflict
    86,  # IndexKeySpecsConflict
    112,  # WriteConflict
    117,  # ConflictingOperationInProgress
    175,  # QueryPlanKilled
    276,  # IndexBuildAborted
    11000,  # DuplicateKey, by a document that came after the search for duplicates
    12587,  # BackgroundOperationInProgressForNamespace
}


def initialise(
    database: Database[Document],
    action: ValidationAction = "as it is",
    *,
    only_missing: bool = False,
    dry_run: bool = False,
) -> InitReport:
    """Create and repair collections, validators and indexes, or create only what is missing."""
    findings: list[Finding] = []
    database = reading_anything(database)  # duplicates may hold any text and any time
    with translated_errors():
        actions = validation_actions(database, action)
        for collection in COLLECTIONS:
            wanted = actions[collection.name]
            findings += _apply_collection(
                database, collection, wanted, only_missing=only_missing, dry_run=dry_run
            )
        findings += _strange_collections(database)
        expiring = expiring_indexes(database)
    return InitReport(
        database=database.name,
        dry_run=dry_run,
        only_missing=only_missing,
        findings=tuple(findings),
        expiring=expiring,
    )


def _apply_collection(
    database: Database[Document],
    collection: Collection,
    action: str,
    *,
    only_missing: bool,
    dry_run: bool,
) -> list[Finding]:
    """Compare and change until only what must not be changed is left."""
    made: dict[tuple[str, str], Finding] = {}
    found: list[Difference] = []
    for pause in PAUSES:
        time.sleep(pause)
        try:
            found = [*_compare(database, collection, action, only_missing=only_missing)]
        except OperationFailure as error:
            if error.code not in _CONCURRENT_CHANGE or pause == PAUSES[-1]:
                raise
            continue
        codes = set() if dry_run else _change(database, collection, action, found, made)
        if not codes & _CONCURRENT_CHANGE:
            break
    return [made.get(_key(difference.finding), difference.finding) for difference in found]


def _change(
    database: Database[Document],
    collection: Collection,
    action: str,
    found: list[Difference],
    made: dict[tuple[str, str], Finding],
) -> set[int | None]:
    """Apply the differences, and answer with the codes of the server's refusals.

    `made` records what was done, `found` what the server refused.
    """
    codes = set()
    built: frozenset[str] | None = None
    is_new = False
    for number, difference in enumerate(found):
        if difference.needs_change:
            if difference.index and built is None:  # the collection is there by now
                built = _create_together(database, collection.name, found)
            try:
                comes_with_it = is_new and difference.finding.kind == "validator"
                if not comes_with_it and difference.finding.name not in (built or ()):
                    _apply(database, collection, difference, action)
                is_new = is_new or difference.finding.kind == "collection"
            except OperationFailure as error:
                codes.add(error.code)
                found[number] = Difference(_blocked(difference, error))
            else:
                made[_key(difference.finding)] = difference.finding
    return codes


def _create_together(
    database: Database[Document], name: str, found: list[Difference]
) -> frozenset[str]:
    """Create the indexes in whose place nothing is, and answer with their names.

    One command reads a collection once, and takes a third of the time in an empty one. MongoDB
    creates all of them or none; where it refuses, each is created by itself.
    """
    missing = [
        difference.index
        for difference in found
        if difference.index and difference.needs_change
        if not difference.replaces and not difference.displaces
    ]
    if not missing:
        return frozenset()
    try:
        database[name].create_indexes(
            [IndexModel(index.keys, **index.creation) for index in missing]
        )
    except OperationFailure:
        return frozenset()
    return frozenset(index.name for index in missing)


def _compare(
    database: Database[Document], collection: Collection, action: str, *, only_missing: bool
) -> Iterator[Difference]:
    """Compare with the registry, and find the indexes that the server would refuse."""
    found = find_collection(database, collection.name)
    indexes = found.indexes if found else ()
    wanted: Iterable[Difference] = differences(collection, found, action)
    if only_missing:
        wanted = leave_different(wanted)
    for difference in limited(wanted, indexes):
        yield unless_refused(database[collection.name], difference) if found else difference


def _apply(
    database: Database[Document],
    collection: Collection,
    difference: Difference,
    action: str,
) -> None:
    match difference.finding.kind:
        case "collection":
            # With its validator: to add that later takes a right that `readWrite` does not have.
            options = validation(collection, action)
            database.create_collection(collection.name, check_exists=False, **options)
        case "validator":
            database.command("collMod", collection.name, **validation(collection, action))
        case "index" if difference.index:
            for holder in difference.displaces:
                _move_aside(database, collection.name, holder)
            put_index(database, collection.name, difference.index, difference.replaces)


def _blocked(difference: Difference, error: OperationFailure) -> Finding:
    """Report what the server did not do; what refuses every change ends it all instead."""
    if error.code in REFUSALS and difference.finding.kind == "validator":
        refused = {"outcome": "blocked", "reason": _NO_RIGHT.format(code=error.code)}
        return difference.finding.model_copy(update=refused)
    if error.code in {*REFUSALS, NAME_DIFFERS_IN_CASE}:
        raise error
    message = (error.details or {}).get("errmsg", "no reason given")
    reason = f"MongoDB refused: error {error.code}, {message}."
    return difference.finding.model_copy(update={"outcome": "blocked", "reason": reason})


def _key(finding: Finding) -> tuple[str, str]:
    return finding.kind, finding.name


def _strange_collections(database: Database[Document]) -> list[Finding]:
    known = {collection.name for collection in COLLECTIONS}
    names = sorted({*database.list_collection_names()} - known)
    return [
        Finding(collection=name, kind="collection", name=name, outcome="unknown")
        for name in names
        if not name.startswith("system.")
    ]
