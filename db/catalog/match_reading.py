"""Reading what is stored about matched models, before it is written anew."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pymongo.database import Database

from db.catalog.confirmed import is_confirmed
from db.catalog.match_row import MatchRow, link_fields
from db.catalog.promotion import row_of
from db.connection import Document, reading_anything


@dataclass(frozen=True, slots=True)
class StoredMatch:
    """What is stored about one model.

    Attributes:
        active: Its active documents on all servers.
        status: Its document of `model_sync_status`; empty without one.
        row: Its document of `database_models`; None without one.
    """

    active: Sequence[Mapping[str, Any]]
    status: Mapping[str, Any]
    row: Mapping[str, Any] | None

    @property
    def confirmed(self) -> str | None:
        """Civitai's number that a person chose, empty if they chose none; None without a person."""
        for one in self.active:
            if is_confirmed(one):
                return str(one.get("civitai_model_id") or "")
        if self.row is not None and is_confirmed(self.row):
            return str(self.row.get("civitai_id") or "")
        return None


def stored_matches(
    database: Database[Document], results: Sequence[MatchRow]
) -> dict[str, StoredMatch]:
    """Read what there is about a batch of models, by model id.

    Args:
        database: The StoryCanvas database.
        results: The models.
    """
    wanted = {"$in": [row.model_id for row in results]}
    data = reading_anything(database)
    active: dict[str, list[Document]] = defaultdict(list)
    names = dict.fromkeys(("model_id", "civitai_match_confirmed", *link_fields(None)), True)
    for one in data["active_backend_models"].find({"model_id": wanted, "is_active": True}, names):
        active[one["model_id"]].append(one)
    statuses = {
        one["model_id"]: one for one in data["model_sync_status"].find({"model_id": wanted})
    }
    rows = _rows_of(data, results)
    return {
        row.model_id: StoredMatch(
            active[row.model_id], statuses.get(row.model_id, {}), rows.get(row.model_id)
        )
        for row in results
    }


def _rows_of(data: Database[Document], results: Sequence[MatchRow]) -> dict[str, Mapping[str, Any]]:
    """Find each model's row of `database_models`; no row is two models'."""
    ids = {"$in": [row.model_id for row in results]}
    names = {"$in": [row.file_name for row in results]}
    wanted = {"$or": [{"id": ids}, {"catalog_model_id": ids}, {"filename": names}]}
    by_name: dict[object, list[Document]] = defaultdict(list)
    by_id: dict[object, Document] = {}
    for one in data["database_models"].find(wanted):
        by_name[one.get("filename")].append(one)
        by_id |= {one.get("id"): one, one.get("catalog_model_id"): one}
    rows: dict[str, Mapping[str, Any]] = {}
    taken = set()
    for row in sorted(results, key=lambda one: one.model_id):
        own = [by_id[row.model_id]] if row.model_id in by_id else []
        free = [one for one in by_name[row.file_name] if str(one["_id"]) not in taken]
        if (found := row_of(row, [*own, *free])) is not None:
            rows[row.model_id] = found
            taken.add(str(found["_id"]))
    return rows
