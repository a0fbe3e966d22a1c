"""Tables as CSV, and the models that are kept for later reports to compare with."""

import gzip
import json
import zlib

import pandas as pd

from storycanvas.catalog.reporting.frames import COMPARED
from storycanvas.catalog.reporting.models_frame import models_frame

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What a spreadsheet takes for the beginning of a formula; the last four are full-width forms."""


def as_csv(frame: pd.DataFrame) -> bytes:
    """Write a table without its index as CSV (RFC 4180) in UTF-8, with a header line.

    Names of files come from strangers, so text that a spreadsheet would take for a formula gets a
    leading apostrophe. Numbers stay as they are, moments become ISO 8601, unknown cells are empty.
    """
    columns = {name: [_cell(value) for value in frame[name]] for name in frame.columns}
    safe = pd.DataFrame(columns, columns=frame.columns, dtype=object)
    return safe.to_csv(index=False, lineterminator="\r\n").encode("utf-8", "replace")


def _cell(value: object) -> object:
    if isinstance(value, str) and value.lstrip(" ").startswith(_FORMULA_STARTS):
        return f"'{value}"
    if isinstance(value, pd.Timestamp):
        return value.isoformat()
    return value


_KEPT = ["id", *COMPARED]
_NOTHING = b"-"
"""Replaces an empty file, which gzip would read as no models at all."""


def as_kept(models: pd.DataFrame) -> bytes:
    """Write the columns that reports compare, as a JSON object a line in gzip.

    The same models make the same bytes, so unchanged ones take no room in the image store.
    """
    columns = [models[name].astype(object) for name in _KEPT]
    rows = zip(*(column.where(column.notna(), None) for column in columns), strict=True)
    lines = [json.dumps(dict(zip(_KEPT, row, strict=True))) for row in rows]
    return gzip.compress("\n".join(lines).encode(), mtime=0)


def read_kept(data: bytes) -> pd.DataFrame:
    """Read what `as_kept` wrote.

    Raises:
        ValueError: The data is something else.
    """
    try:
        lines = gzip.decompress(data or _NOTHING).splitlines()
        rows = [row for row in map(json.loads, lines) if isinstance(row, dict)]
    except (OSError, EOFError, zlib.error, ValueError) as error:
        raise ValueError("These are not kept models: a JSON object a line, gzip.") from error
    return models_frame(rows)
