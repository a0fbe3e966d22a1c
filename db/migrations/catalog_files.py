"""What is stored about the files of some rows of `database_models`."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bson.raw_bson import RawBSONDocument
from pymongo.collection import Collection
from pymongo.database import Database

from db.catalog.matches.links import app_names
from db.connection import Document
from db.migrations.engine.odd import WRITABLE, collections_among

ROWS = "database_models"
LINKED = ("inference_configurations", "model_presets")
"""Collections whose `model_id` names a row."""

_OF_A_MODEL = ("model_id", "backend_id", "backend_name", "model_metadata.raw_name")

Row = Mapping[str, Any]

_WRITABLE: Document = {"$expr": WRITABLE}


class FilesOfRows:
    """What is stored about the files of some rows."""

    def __init__(self, database: Database[Document], rows: Sequence[Row], largest: int) -> None:
        self._largest = largest
        self._models = _grouped(
            database["active_backend_models"]
            .find({"model_id": {"$in": [row["catalog_model_id"] for row in rows]}}, _OF_A_MODEL)
            .sort([("is_active", -1), ("id", 1)]),
            "model_id",
        )
        self._by_name, self._by_model = self._other_rows(database, rows)
        ids = [row.get("id") for row in [*rows, *self._all_others()]]
        wanted = {"model_id": {"$in": ids}, **_WRITABLE}
        self._links = {
            name: _grouped(with_bytes(database, name).find(wanted), "model_id")
            for name in collections_among(database, LINKED)
        }

    def _other_rows(
        self, database: Database[Document], rows: Sequence[Row]
    ) -> tuple[dict[Any, list[Row]], dict[Any, list[Row]]]:
        """Find rows without a slash, by name those that are no file's yet, and by their file."""
        names = [name for row in rows for name in self.names_of(row)]
        unknown = dict.fromkeys(("filename", "path", "filepath", "catalog_model_id"))
        of_the_app = {"name": {"$in": names}, **unknown}
        of_the_file = {"catalog_model_id": {"$in": [row["catalog_model_id"] for row in rows]}}
        plain = {"id": {"$type": "string", "$not": {"$regex": "/"}}, **_WRITABLE}
        found = with_bytes(database, ROWS)
        return (
            _grouped(found.find({**plain, **of_the_app}).sort("id"), "name"),
            _grouped(found.find({**plain, **of_the_file}).sort("id"), "catalog_model_id"),
        )

    def _all_others(self) -> Iterable[Row]:
        for groups in (self._by_name, self._by_model):
            for rows in groups.values():
                yield from rows

    def names_of(self, row: Row) -> tuple[str, ...]:
        """Find the names by which the app may have a row of the same file, the likeliest first."""
        path = row["catalog_model_id"].partition("/")[2]
        metadata = (model.get("model_metadata") for model in self._models[row["catalog_model_id"]])
        found = (known.get("raw_name") for known in metadata if isinstance(known, Mapping))
        spelt = (name for name in found if isinstance(name, str))
        return app_names(spelt, path)

    def server_of(self, row: Row, ids_by_name: Mapping[str, str]) -> str | None:
        """Find the id of a row's server: as it is, by its name, else of one that has the file."""
        stored, models = row.get("server_source"), self._models[row["catalog_model_id"]]
        having = [model.get("backend_id") for model in models]
        named = [model.get("backend_id") for model in models if model.get("backend_name") == stored]
        if stored in having:
            return str(stored)
        known = (*named, ids_by_name.get(str(stored)), *having)
        return next((server for server in known if isinstance(server, str)), None)

    def twin_of(self, row: Row) -> Row | None:
        """Find the app's own row of the same file."""
        kind = str(row.get("type")).casefold()
        named = (twin for name in self.names_of(row) for twin in self._by_name[name])
        same = (twin for twin in named if str(twin.get("type")).casefold() == kind)
        found = (*self._by_model[row["catalog_model_id"]], *same)
        fits = (twin for twin in found if _size(row) + _size(twin) <= self._largest)
        return next(fits, None)

    def links_twice(self, row: Row, twin: Row) -> list[tuple[str, Row]]:
        """Find the links of a row of which its twin has one of the same kind."""
        name = LINKED[0]
        links = self._links.get(name, {})
        kinds = {_preset_of(link) for link in links.get(twin["id"], ())}
        return [(name, link) for link in links.get(row["id"], ()) if _preset_of(link) in kinds]

    def linked_from(self, row: Row) -> list[str]:
        """Name the collections with links to a row."""
        return [name for name, links in self._links.items() if links[row["id"]]]


def _preset_of(link: Row) -> str:
    return str(link.get("preset_type") or link.get("configuration_type"))


def ids_by_name(database: Database[Document]) -> dict[str, str]:
    """Read the ids of servers by their names; names that are ids of others are left out."""
    found: dict[str, str] = {}
    ids = set()
    for collection in ("comfyui_servers", "backends"):
        for server in database[collection].find({}, {"id": True, "name": True}).sort("id", -1):
            id_, name = server.get("id"), server.get("name")
            if isinstance(id_, str) and isinstance(name, str):
                found[name] = id_
                ids.add(id_)
    return {name: id_ for name, id_ in found.items() if name not in ids}


def with_bytes(database: Database[Document], name: str) -> Collection[Any]:
    """Get a collection whose documents keep their bytes."""
    options = database.codec_options.with_options(document_class=RawBSONDocument)
    return database.get_collection(name, codec_options=options)


def _size(row: Row) -> int:
    return len(row.raw) if isinstance(row, RawBSONDocument) else 0


def _grouped(documents: Iterable[Row], field: str) -> dict[Any, list[Row]]:
    groups: dict[Any, list[Row]] = defaultdict(list)
    for document in documents:
        if isinstance(value := document.get(field), str):
            groups[value].append(document)
    return groups
