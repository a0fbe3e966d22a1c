"""A table of models kept for later reports, which tell what has changed since."""

import gzip
import json
import zlib

import pandas as pd

from catalog.reporting.frames import COMPARED
from catalog.reporting.models_frame import models_frame

_KEPT = ["id", *COMPARED]
_NOTHING = b"-"
"""Stands for an empty file, which gzip would take for no models at all."""


def as_kept(models: pd.DataFrame) -> bytes:
    """Write what reports compare; the same models make the same bytes.

    Args:
        models: The models (`catalog.reporting.models_frame.models_frame`).

    Returns:
        A JSON object a line, gzip.
    """
    columns = [models[name].astype(object) for name in _KEPT]
    rows = zip(*(column.where(column.notna(), None) for column in columns), strict=True)
    lines = [json.dumps(dict(zip(_KEPT, row, strict=True))) for row in rows]
    return gzip.compress("\n".join(lines).encode(), mtime=0)


def read_kept(data: bytes) -> pd.DataFrame:
    """Read what `as_kept` wrote.

    Raises:
        ValueError: It is something else.
    """
    try:
        lines = gzip.decompress(data or _NOTHING).splitlines()
        rows = [row for row in map(json.loads, lines) if isinstance(row, dict)]
    except (OSError, EOFError, zlib.error, ValueError) as error:
        raise ValueError("These are no kept models: a JSON object a line, gzip.") from error
    return models_frame(rows)
