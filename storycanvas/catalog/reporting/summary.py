"""Makes the report on the model catalog: its lists, and their sums."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pandas as pd
from pydantic import JsonValue

from storycanvas.catalog.reporting.frames import (
    by_type_and_base,
    changed,
    changed_since,
    duplicates,
    gone_since,
    new_since,
    unmatched,
)
from storycanvas.catalog.reporting.reports import CatalogReport, ReportList

MAX_ROWS = 50
"""Rows of a list that the report itself carries."""


def catalog_lists(
    models: pd.DataFrame, since: datetime, before: pd.DataFrame | None = None
) -> dict[str, pd.DataFrame]:
    """Make every list of the report in full, by the names that `CatalogReport` has for them.

    Args:
        models: The models (`storycanvas.catalog.reporting.models_frame.models_frame`).
        since: With its zone.
        before: The models as an earlier report found them, if there is one.
    """
    return {
        "new": new_since(models, since),
        "gone": gone_since(models, since),
        "changed": changed_since(models, since) if before is None else changed(before, models),
        "unmatched": unmatched(models),
        "duplicates": duplicates(models),
        "by_type": by_type_and_base(models),
    }


def catalog_report(
    models: pd.DataFrame,
    lists: Mapping[str, pd.DataFrame],
    since: datetime,
    stored: Mapping[str, str] | None = None,
    compared_with: datetime | None = None,
) -> CatalogReport:
    """Make the report of its lists.

    Args:
        models: The models.
        lists: Made by `catalog_lists`.
        since: With its zone.
        stored: Where the whole lists are stored, by name.
        compared_with: When the earlier report was made, if there is one.
    """
    active = models[models["is_active"]]
    freeable = lists["duplicates"]["bytes_freeable"]
    parts = {name: _part(frame, (stored or {}).get(name)) for name, frame in lists.items()}
    return CatalogReport(
        since=since,
        servers=int(active["backend_id"].nunique()),
        files=len(active),
        models=int(active["model_id"].nunique()),
        changed_models=int(lists["changed"]["id"].nunique()),
        compared_with=compared_with,
        bytes_freeable=int(freeable.sum()),
        unsized=int(freeable.isna().sum()),
        **parts,
    )


def _part(frame: pd.DataFrame, stored_at: str | None) -> ReportList:
    head = frame.head(MAX_ROWS).astype(object)
    rows = [{str(name): _plain(value) for name, value in row.items()} for row in _rows(head)]
    return ReportList(count=len(frame), rows=tuple(rows), stored_at=stored_at)


def _rows(frame: pd.DataFrame) -> list[dict[Any, Any]]:
    return frame.to_dict("records")


def _plain(value: Any) -> JsonValue:  # noqa: ANN401  # a cell of a table is anything
    if pd.isna(value):
        return None
    if isinstance(value, pd.Timestamp):
        return value.isoformat()
    return value if isinstance(value, str | bool) else int(value)
