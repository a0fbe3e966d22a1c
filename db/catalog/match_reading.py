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
        gone: Its documents on servers that do not have it any more; what a person chose there
            holds still.
    """

    active: Sequence[Mapping[str, Any]]
    status: Mapping[str, Any]
    row: Mapping[str, Any] | None
    gone: Sequence[Mapping[str, Any]] = ()

    @property
    def confirmed(self) -> str | None:
        """Civitai's number that a person chose, empty if they chose none; None without a person."""
        for field, told in (
            ("civitai_model_id", self.active),
            ("civitai_id", [self.row] if self.row is not None else []),
            ("civitai_model_id", self.gone),
        ):
            chosen = next(filter(is_confirmed, told), None)
            if chosen is not None:
                return str(chosen.get(field) or "")
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
    on_servers: dict[tuple[str, bool], list[Document]] = defaultdict(list)
    shown = ("model_id", "is_active", "civitai_match_confirmed", *link_fields(None))
    found = data["active_backend_models"].find({"model_id": wanted}, dict.fromkeys(shown, True))
    for one in found.sort("id"):
        on_servers[one["model_id"], one.get("is_active") is True].append(one)
    statuses = {
        one["model_id"]: one for one in data["model_sync_status"].find({"model_id": wanted})
    }
    rows = _rows_of(data, results)
    return {
        row.model_id: StoredMatch(
            on_servers[row.model_id, True],
            statuses.get(row.model_id, {}),
            rows.get(row.model_id),
            on_servers[row.model_id, False],
        )
        for row in results
    }


def _rows_of(data: Database[Document], results: Sequence[MatchRow]) -> dict[str, Mapping[str, Any]]:
    """Find each model's row of `database_models`; no row is two models'."""
    ids = {"$in": [row.model_id for row in results]}
    names = {"$in": [row.file_name for row in results]}
    wanted = {"$or": [{"id": ids}, {"catalog_model_id": ids}, {"filename": names}]}
    by_name: dict[object, list[Document]] = defaultdict(list)
    by_id: dict[object, list[Document]] = defaultdict(list)
    for one in data["database_models"].find(wanted):
        by_name[one.get("filename")].append(one)
        for id_ in (one.get("id"), one.get("catalog_model_id")):
            by_id[id_].append(one)
    rows: dict[str, Mapping[str, Any]] = {}
    taken = set()
    for row in sorted(results, key=lambda one: one.model_id):
        free = [one for one in by_name[row.file_name] if str(one["_id"]) not in taken]
        if (found := row_of(row, [*by_id[row.model_id], *free])) is not None:
            rows[row.model_id] = found
            taken.add(str(found["_id"]))
    return rows
