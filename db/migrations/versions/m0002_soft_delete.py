"""Marks of deletion, their indexes, and unique values that can be used again after a deletion.

See docs/schema.md, Deletion.
"""

from bson import json_util
from pymongo.database import Database

from db.connection import Document
from db.errors import ValueTaken
from db.migrations.engine.check import Check, Unresolved, check_fields
from db.migrations.engine.expressions import Expression, is_a, when
from db.migrations.engine.fields import FieldChange, changed_fields
from db.migrations.engine.work import Work
from db.schema.collections import COLLECTIONS
from db.schema.indexes import FoundIndex, Index
from db.setup.apply import put_index
from db.setup.compare import collection_names, find_duplicates, find_indexes
from db.setup.report import Duplicates

FORMER_CHECKSUMS = (
    "efe981886c3528b2e025290ce2d182b187272dc7eba66a14c1b654af26e19c13",
    "04c5782720c0723cffee4005951a6abc74c0005293f45372028f01e7c550ddca",
    "76a75676bb32ccd3b72a5dc87b00e522e14351e2ab2d3396dc91fb16b11b30dc",
)
"""Of this file before its words were renamed, and before its unique indexes had `deleted_at` among
their fields; `init-db` makes these of the partial ones, and going down knows both."""

SOFT_DELETABLE = (
    "projects",
    "scenes",
    "clips",
    "characters",
    "style_templates",
    "facefusion_presets",
    "users",
    "comfyui_servers",
)


def up(work: Work) -> None:
    """Add the marks where they are missing, and replace the indexes that ignore them."""
    for change in _FIELDS:
        work.change(change)
    for name, index in [*_wanted(work.database), *_lost(work)]:
        found = _in_place_of(work.database, name, index)
        creations = [{"keys": old.creation_keys, **old.creation} for old in found]
        work.remember(_place(name, index), json_util.dumps(creations))
        put_index(work.database, name, index, [old for old in found if not old.is_as(index)])


def down(work: Work) -> None:
    """Put the old indexes back and take the marks out; what has been deleted stays marked.

    Raises:
        ValueTaken: A value of a deleted document is used again, which the old index refuses.
    """
    for collection, index in _indexes():
        if _place(collection, index) in work.remembered:
            _put_back(work, collection, index)
    for change in _FIELDS:
        work.undo(change)


def check(database: Database[Document]) -> Check:
    """Count the documents without marks, and the indexes that do not know of them."""
    total = Check(
        remaining={f"{name}.{index.name}": 1 for name, index in _wanted(database)},
        unresolved=_shared_values(database),
    )
    for change in _FIELDS:
        total += check_fields(database, change)
    return total


def _indexes() -> list[tuple[str, Index]]:
    """Find the registry's indexes that heed deletion."""
    return [
        (collection.name, index)
        for collection in COLLECTIONS
        if collection.name in SOFT_DELETABLE
        for index in collection.indexes
        if "deleted_at" in index.fields
    ]


def _wanted(database: Database[Document]) -> list[tuple[str, Index]]:
    """Find the indexes that are to be made and that no documents are in the way of."""
    return [missing for missing in _missing(database) if not _duplicates(database, *missing)[0]]


def _shared_values(database: Database[Document]) -> tuple[Unresolved, ...]:
    """List what is in the way of indexes, such as names that differ only in case."""
    found = []
    for name, index in _missing(database):
        count, duplicates = _duplicates(database, name, index)
        if count:
            field = index.fields[0]
            what = f"Values of {name}.{field} that several have; change all except one, then"
            examples = tuple(shared.values[field] for shared in duplicates)
            found.append(Unresolved(what=f"{what} run init-db", count=count, examples=examples))
    return tuple(found)


def _duplicates(
    database: Database[Document], name: str, index: Index
) -> tuple[int, tuple[Duplicates, ...]]:
    return find_duplicates(database[name], index) if index.unique else (0, ())


def _missing(database: Database[Document]) -> list[tuple[str, Index]]:
    """Find the indexes that should be there.

    Those on the mark itself; and unique ones in the place of those that hold deleted documents,
    too. Where nothing was unique before, documents may be in the way: that is for `init-db`.
    """
    existing = collection_names(database)
    wanted = []
    for name, index in _indexes():
        if name not in existing:
            continue
        found = _in_place_of(database, name, index)
        if index.unique:
            needed = any(map(_holds_deleted, found))
        else:
            needed = not any(old.is_as(index) for old in found)
        if needed:
            wanted.append((name, index))
    return wanted


def _lost(work: Work) -> list[tuple[str, Index]]:
    """Find the indexes that a kill left without the old one and without the new one."""
    return [
        (name, index)
        for name, index in _indexes()
        if json_util.loads(work.remembered.get(_place(name, index), "[]"))
        and not _in_place_of(work.database, name, index)
        and index.unique
    ]


def _in_place_of(database: Database[Document], name: str, index: Index) -> list[FoundIndex]:
    """Find an index, and those on its fields without the mark at their end."""
    alike = (index.stored_keys, index.former.keys if index.former else ())
    found = find_indexes(database, name)
    return [other for other in found if other.keys in alike or other.name == index.name]


def _holds_deleted(found: FoundIndex) -> bool:
    names = {field for field, _ in found.keys}
    partial = "partialFilterExpression" in found.options or "deleted_at" in names
    return bool(found.options.get("unique")) and not partial


def _place(name: str, index: Index) -> str:
    """Name an index as this migration always did, by its first field."""
    return f"{name} {index.fields[0]}_1"


def _put_back(work: Work, name: str, index: Index) -> None:
    """Put back what stood in an index's place."""
    collection = work.database[name]
    creations = json_util.loads(work.remembered[_place(name, index)])
    for creation in creations:
        if creation.get("unique"):
            _refuse_duplicates(work, name, _as_before(creation))
    for found in _in_place_of(work.database, name, index):
        if found.is_as(index) or found.is_former_of(index):
            collection.drop_index(found.name)
    for creation in creations:
        keys = [(field, kind) for field, kind in creation.pop("keys")]
        collection.create_index(keys, **creation)


def _as_before(creation: Document) -> Index:
    """Describe which documents an index held apart."""
    return Index(
        tuple(field for field, _ in creation["keys"]),
        unique=True,
        sparse=creation.get("sparse", False),
        partial=creation.get("partialFilterExpression"),
        collation=creation.get("collation"),
    )


def _refuse_duplicates(work: Work, name: str, index: Index) -> None:
    count, duplicates = find_duplicates(work.database[name], index)
    if count:
        raise ValueTaken(
            f"{count} set(s) of documents in {name}, deleted ones included, share values that must "
            f"be unique again, such as {duplicates[0]}; change them or remove the deleted ones "
            "with purge-deleted, then run this again."
        )


def _null(value: Expression) -> Expression:
    return when(is_a(value, "missing"), None, value)


_FIELDS = tuple(
    FieldChange(
        "m0002",
        name,
        {"deleted_at": _null, "deleted_by": _null},
        defaults={"deleted_at": None, "deleted_by": None},
    )
    for name in SOFT_DELETABLE
)
CHANGES = changed_fields(_FIELDS)
WRITES_TIMES = False
