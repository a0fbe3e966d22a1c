"""The models of all servers as a table, whatever a database holds of them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import pandas as pd

from storycanvas.catalog.entries import ModelEntry
from storycanvas.catalog.kinds import type_of_folder
from storycanvas.catalog.names import file_key


def listed_frame(entries: Sequence[ModelEntry]) -> pd.DataFrame:
    """Make a table of entries: their fields, with metadata as a list of pairs, and model_type."""
    types = {folder: type_of_folder(folder) for folder in {entry.folder for entry in entries}}
    columns = {
        "folder": [entry.folder for entry in entries],
        "path": [entry.path for entry in entries],
        "raw_name": [entry.raw_name for entry in entries],
        "size": [entry.size for entry in entries],
        "modified": [entry.modified for entry in entries],
        "hashes": [dict(entry.hashes) for entry in entries],
        "metadata": [[[key, text] for key, text in entry.metadata.items()] for entry in entries],
        "model_type": [types[entry.folder] for entry in entries],
    }
    return pd.DataFrame(columns, dtype=object)


TEXTS = (
    *("id", "backend_id", "model_id", "folder", "model_name", "model_type", "base_model", "sha256"),
    *("blake3", "civitai_model_id", "civitai_version_id", "match_quality", "match_method"),
)
"""Columns of text; None where nothing is known."""

TIMES = ("first_seen", "last_seen", "changed_at", "gone_at")
"""Columns of moments in UTC; NaT where nothing is known."""

COLUMNS = (*TEXTS, "size", "is_active", *TIMES, "file_key")
"""All columns, in order; `size` is in bytes, `file_key` comes from the name."""

MAX_BYTES = 1 << 44
"""16 TiB; no model file is larger, and sums of larger sizes would overflow."""


def models_frame(rows: Iterable[Mapping[str, object]]) -> pd.DataFrame:
    """Make a table of models, a row for each file of each server; one without an id is left out.

    Args:
        rows: With the keys of `TEXTS`, `TIMES`, `size` and `is_active`, as far as they are known;
            values of any type.

    Returns:
        The columns `COLUMNS`, which every function of this package takes.
    """
    known = [row for row in rows if isinstance(row.get("id"), str)]
    frame = pd.DataFrame(index=range(len(known)))
    for name in TEXTS:
        frame[name] = pd.Series([_text(row.get(name)) for row in known], dtype=object)
    frame["model_id"] = frame["model_id"].fillna(frame["id"])
    frame["size"] = pd.Series([_size(row.get("size")) for row in known], dtype="Int64")
    active = [row.get("is_active") is not False for row in known]
    frame["is_active"] = pd.Series(active, dtype=bool)
    for name in TIMES:
        frame[name] = moments([row.get(name) for row in known])
    keys = [file_key(name) if name else None for name in frame["model_name"]]
    frame["file_key"] = pd.Series(keys, dtype=object)
    return frame[[*COLUMNS]]


def moments(values: Iterable[object]) -> pd.Series:
    """Read moments of any type: without a zone they are in UTC, unreadable ones become NaT."""
    known = [value if isinstance(value, datetime) else None for value in values]
    found = pd.to_datetime(pd.Series(known, dtype=object), utc=True, errors="coerce")
    return found.dt.as_unit("us")  # one unit, whatever the values are


def _text(value: object) -> str | None:
    """Read text, or a number that is an id, such as Civitai's."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) and value else None


def _size(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if 0 <= value <= MAX_BYTES else None
