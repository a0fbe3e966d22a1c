"""The report on the model catalog: counts, the first rows of each list, and where the rest lies."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pandas as pd
from pydantic import BaseModel, ConfigDict, JsonValue

from catalog.reporting.csv_text import as_csv
from catalog.reporting.duplicates import duplicates
from catalog.reporting.frames import (
    by_type_and_base,
    changed_since,
    gone_since,
    new_since,
    unmatched,
)

__all__ = ["MOST_ROWS", "CatalogReport", "ReportList", "as_csv", "catalog_lists", "catalog_report"]

MOST_ROWS = 50
"""Rows of a list that the report itself carries."""


class ReportList(BaseModel):
    """One list of the report.

    Attributes:
        count: How many rows the whole list has.
        rows: The first ones, at most `MOST_ROWS`; moments are ISO 8601 text.
        stored_at: Where the whole list lies as CSV; None if it was not stored.
    """

    model_config = ConfigDict(frozen=True)

    count: int = 0
    rows: tuple[dict[str, JsonValue], ...] = ()
    stored_at: str | None = None


class CatalogReport(BaseModel):
    """What is to be said about the models of all servers.

    Attributes:
        since: From when on models count as new, gone or changed, UTC.
        servers: How many servers have models.
        files: How many model files they have, all together.
        models: How many different models these are, by folder and path.
        bytes_freeable: What copies of the same file take, but for one of each.
        new: Models that were first seen since then.
        gone: Models that are no longer listed.
        changed: Models of which a server tells something else.
        unmatched: Models without a link to Civitai.
        duplicates: Files that lie in several places.
        by_type: How many models there are, by type and base model.
    """

    model_config = ConfigDict(frozen=True)

    since: datetime
    servers: int = 0
    files: int = 0
    models: int = 0
    bytes_freeable: int = 0
    new: ReportList = ReportList()
    gone: ReportList = ReportList()
    changed: ReportList = ReportList()
    unmatched: ReportList = ReportList()
    duplicates: ReportList = ReportList()
    by_type: ReportList = ReportList()

    def summary(self) -> str:
        """Say it in two sentences."""
        servers = "1 server" if self.servers == 1 else f"{self.servers} servers"
        return (
            f"{self.models} models in {self.files} files on {servers}; since "
            f"{self.since:%Y-%m-%d %H:%M} UTC {self.new.count} are new, {self.gone.count} gone and "
            f"{self.changed.count} changed. {self.unmatched.count} have no link to Civitai, "
            f"{self.duplicates.count} lie in several places, which takes "
            f"{self.bytes_freeable / 1e9:.1f} GB more than once would."
        )


def catalog_lists(models: pd.DataFrame, since: datetime) -> dict[str, pd.DataFrame]:
    """Make every list of the report in full.

    Args:
        models: The models (`catalog.reporting.models_frame.models_frame`).
        since: With its zone.

    Returns:
        By the names that `CatalogReport` has for them.
    """
    return {
        "new": new_since(models, since),
        "gone": gone_since(models, since),
        "changed": changed_since(models, since),
        "unmatched": unmatched(models),
        "duplicates": duplicates(models),
        "by_type": by_type_and_base(models),
    }


def catalog_report(
    models: pd.DataFrame,
    lists: Mapping[str, pd.DataFrame],
    since: datetime,
    stored: Mapping[str, str] | None = None,
) -> CatalogReport:
    """Sum the lists up.

    Args:
        models: The models.
        lists: What `catalog_lists` made of them.
        since: From when on, with its zone.
        stored: Where the whole lists lie, by name.
    """
    active = models[models["is_active"]]
    parts = {name: _part(frame, (stored or {}).get(name)) for name, frame in lists.items()}
    return CatalogReport(
        since=since,
        servers=int(active["backend_id"].nunique()),
        files=len(active),
        models=int(active["model_id"].nunique()),
        bytes_freeable=int(lists["duplicates"]["bytes_freeable"].sum()),
        **parts,
    )


def _part(frame: pd.DataFrame, stored_at: str | None) -> ReportList:
    head = frame.head(MOST_ROWS).astype(object)
    rows = [{str(name): _plain(value) for name, value in row.items()} for row in _rows(head)]
    return ReportList(count=len(frame), rows=tuple(rows), stored_at=stored_at)


def _rows(frame: pd.DataFrame) -> list[dict[Any, Any]]:
    return frame.to_dict("records")


def _plain(value: Any) -> JsonValue:  # noqa: ANN401  # a cell of a table is anything
    if pd.isna(value):
        return None
    if isinstance(value, pd.Timestamp):
        return value.isoformat()
    return value if isinstance(value, str) else int(value)
