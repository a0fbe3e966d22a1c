"""Rows of `database_models` that match-models added, so that the app finds and addresses them.

Their id had a slash, their name no suffix, and `server_source` was the server's name. Where the
app has a row of its own for the same file, that row takes the other's facts and links; the other
is removed, and kept whole in the undo note.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from pymongo.collection import Collection
from pymongo.database import Database

from db.catalog.matches.links import is_confirmed
from db.catalog.matches.promote import row_id
from db.connection import Document, in_batches
from db.migrations.catalog_files import LINKED, ROWS, FilesOfRows, Row, ids_by_name, with_bytes
from db.migrations.engine.expressions import is_a
from db.migrations.engine.fields import set_with_undo
from db.migrations.engine.odd import UNDO, WITH_ID, WRITABLE, is_collection
from db.migrations.engine.work import Work
from db.setup.compare import collection_names

_OF_THE_FILE = ("filename", "path", "catalog_model_id")
_OF_THE_MATCH = (
    *("civitai_id", "civitai_match_quality", "civitai_match_confirmed", "civitai_info"),
)
_OTHERS = (
    *("base_model", "trigger_words", "hash", "description", "tags", "is_nsfw", "metadata"),
    *("configuration_presets", "available_profiles", "last_synced_at"),
)
FIELDS = ("id", "name", "server_source", *_OF_THE_FILE, *_OF_THE_MATCH, *_OTHERS)
"""Fields of a row that a repair may change."""

_MERGED, _REMOVED = "merged_row", "removed_links"
"""Parts of the undo note: the row that was merged into this one, and links that it had twice."""
_BATCH = 500
_WITH_SLASH: Document = {
    "id": {"$regex": "/"},
    "$expr": {"$and": [is_a("$id", "string"), {"$eq": ["$id", "$catalog_model_id"]}]},
}


_CHANGEABLE: Document = {**WITH_ID, "$expr": WRITABLE}


def count_wrong_rows(database: Database[Document]) -> dict[str, int]:
    """Count the rows whose id has a slash, and those whose server is a name, by field."""
    if not is_collection(database, ROWS):
        return {}
    rows, named = database[ROWS], _named(ids_by_name(database))
    return {
        f"{ROWS}.id": rows.count_documents({"$and": [_WITH_SLASH, _CHANGEABLE]}),
        f"{ROWS}.server_source": rows.count_documents({"$and": [named, _CHANGEABLE]}),
    }


def wrong_rows(database: Database[Document]) -> Document:
    """Build the query for the wrong rows, those that cannot be changed included."""
    return {"$or": [_WITH_SLASH, _named(ids_by_name(database))]}


def old_ids_in_odd_links(database: Database[Document], name: str, key: str) -> list[str]:
    """Find the old ids of rows in links that cannot be written, and so do not follow.

    Args:
        database: The StoryCanvas database.
        name: Of the collection of links.
        key: Of the undo notes.
    """
    cannot: Document = {"model_id": {"$type": "string"}, "$expr": {"$not": [WRITABLE]}}
    found = database[name].aggregate([{"$match": cannot}, {"$group": {"_id": "$model_id"}}])
    ids = {"$in": [link["_id"] for link in found]}
    rows, note = database[ROWS], f"{UNDO}.{key}"
    old = {*rows.distinct("id", {"$and": [_WITH_SLASH, {"id": ids}]})}
    for field in (f"{note}.id.was", f"{note}.{_MERGED}.id"):
        old |= {*rows.distinct(field, {field: ids})}
    return [id_ for id_ in ids["$in"] if id_ in old]


def put_back_merged_rows(database: Database[Document], key: str) -> None:
    """Insert the rows that were merged, and the links that were removed with them."""
    note = f"{UNDO}.{key}"
    merged: Document = {"$match": {f"{note}.{_MERGED}": {"$exists": True}}}
    rows = database[ROWS]
    if not next(rows.aggregate([merged, {"$limit": 1}]), None):
        return
    _insert(rows, [merged, {"$replaceWith": f"${note}.{_MERGED}"}], ROWS)
    for name in LINKED:
        if name in collection_names(database):
            removed = f"{note}.{_REMOVED}"
            found = [merged, {"$unwind": f"${removed}"}, {"$match": {f"{removed}.from": name}}]
            _insert(rows, [*found, {"$replaceWith": f"${removed}.document"}], name)


def _insert(rows: Collection[Document], pipeline: list[Document], into: str) -> None:
    # On the server, since a document that is read here may lose what Python cannot hold; and
    # `keepExisting` would insert the fields in the order of the alphabet.
    merge: Document = {"into": into, "whenMatched": [{"$replaceWith": "$$ROOT"}]}
    rows.aggregate([*pipeline, {"$merge": merge}], bypassDocumentValidation=True)


@dataclass(frozen=True)
class RowRepair:
    """Repairs the rows of a database, range by range, in any order and several at a time.

    Attributes:
        key: Of the undo notes.
        largest: Bytes of two rows that can be merged.
    """

    work: Work
    key: str
    largest: int

    def repair(self, which: Document) -> None:
        """Repair the wrong rows of a range."""
        wrong = {"$or": [_WITH_SLASH, _named(self._names)]}
        rows = (
            with_bytes(self.work.database, ROWS)
            .find({"$and": [which, wrong, _CHANGEABLE]})
            .sort("_id")
        )
        for some in in_batches(rows, _BATCH):
            self.work.ensure_held()
            files = FilesOfRows(self.work.database, some, self.largest)
            for row in some:
                self._repair_row(files, row)

    @cached_property
    def _names(self) -> dict[str, str]:
        return ids_by_name(self.work.database)

    def _repair_row(self, files: FilesOfRows, row: Row) -> None:
        server = files.server_of(row, self._names)
        if row.get("id") != row["catalog_model_id"] or "/" not in row["id"]:
            self._set(row, {"server_source": server})
        elif twin := files.twin_of(row):
            self._merge(files, row, twin)
        else:
            self._rename(files, row, server)

    def _rename(self, files: FilesOfRows, row: Row, server: str | None) -> None:
        model_id = row["catalog_model_id"]
        new_id = row_id(server, model_id)
        values: Document = {"id": new_id}
        if server is not None:
            values["server_source"] = server
        path = model_id.partition("/")[2]
        if row.get("name") == path.rpartition("/")[2].rpartition(".")[0]:
            values["name"] = files.names_of(row)[0]
        # The row comes last: a kill before it leaves the row to be found, with the same new id.
        self._point(files, row, new_id)
        self._set(row, values)

    def _merge(self, files: FilesOfRows, row: Row, twin: Row) -> None:
        """Merge a row into the app's own; its removal comes last, so that a kill leaves it."""
        twice = files.links_twice(row, twin)
        there = twin.get(UNDO, {}).get(self.key, {}).get(_REMOVED, ())
        known = {(link["from"], str(link["document"]["_id"])) for link in there}
        new = [
            {"from": name, "document": link}
            for name, link in twice
            if (name, str(link["_id"])) not in known
        ]
        note = f"{UNDO}.{self.key}"
        noted: Document = {
            f"{note}.{_MERGED}": {"$ifNull": [f"${note}.{_MERGED}", {"$literal": row}]},
            f"{note}.{_REMOVED}": {
                "$concatArrays": [{"$ifNull": [f"${note}.{_REMOVED}", []]}, {"$literal": new}]
            },
        }
        if not self._set(twin, _taken_over(row, twin), noted):
            return  # Another row has been merged into it meanwhile; the next pass decides again.
        for name, link in twice:
            self.work.database[name].delete_one({"_id": link["_id"]})
        self._point(files, row, twin["id"])
        self.work.database[ROWS].delete_one({"_id": row["_id"]})

    def _set(self, row: Row, values: Row, noted: Document | None = None) -> bool:
        """Set fields of a row, unless it has become another file's; return whether it was."""
        literal = {name: {"$literal": value} for name, value in values.items()}
        update = [*set_with_undo(self.key, literal), *([{"$set": noted}] if noted else [])]
        wanted = {"_id": row["_id"], "catalog_model_id": row.get("catalog_model_id")}
        done = self.work.database[ROWS].update_one(wanted, update, bypass_document_validation=True)
        return done.matched_count == 1

    def _point(self, files: FilesOfRows, row: Row, new_id: str) -> None:
        """Let everything that names a row by its old id name it by the new one."""
        update = set_with_undo(self.key, {"model_id": {"$literal": new_id}})
        for name in files.linked_from(row):
            self.work.database[name].update_many(
                {"model_id": row["id"], "$expr": WRITABLE}, update, bypass_document_validation=True
            )


def _taken_over(row: Row, twin: Row) -> Document:
    """Choose what the app's own row takes from another of the same file."""
    values = {name: row[name] for name in _OF_THE_FILE if name in row}
    if not is_confirmed(twin) or is_confirmed(row):
        values |= {name: row[name] for name in _OF_THE_MATCH if name in row}
        info, own = row.get("civitai_info"), twin.get("civitai_info")
        if isinstance(info, Mapping) and isinstance(own, Mapping):
            values["civitai_info"] = {**own, **info}
    lacking = (name for name in _OTHERS if name in row and _is_empty(twin.get(name)))
    return values | {name: row[name] for name in lacking}


def _is_empty(value: object) -> bool:
    return value is None or (isinstance(value, str | list | Mapping) and not len(value))


def _named(names: Mapping[str, str]) -> Document:
    """Build the query for rows whose server is a name."""
    is_name = {"$in": ["$server_source", {"$literal": [*names]}]}
    return {"$expr": {"$and": [is_a("$catalog_model_id", "string"), is_name]}}
