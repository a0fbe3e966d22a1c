"""The models of a listing as a table, to be compared with what is stored."""

from collections.abc import Sequence

import pandas as pd

from catalog.entries import ModelEntry
from catalog.kinds import type_of_folder


def listed_frame(entries: Sequence[ModelEntry]) -> pd.DataFrame:
    """Lay entries out, a row each.

    Args:
        entries: In any order.

    Returns:
        Columns folder, path, raw_name, size, modified, hashes, metadata (list of pairs),
        model_type.
    """
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
