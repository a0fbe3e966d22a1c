"""Models that the app stored under its own ids, and which listed files they are.

The app made ids of the backend and the name alone (reference section 4.1), and names with the
server's separator. Such a model is taken over where only one listed file can be meant; any other
is treated as a model that is not listed, so that it is kept and at most becomes inactive.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pandas as pd


def adoptions(backend_id: str, new: pd.DataFrame, unlisted: pd.DataFrame) -> dict[str, str]:
    """Find what the app's models are called now.

    Args:
        backend_id: Whose models.
        new: Listed files that are not stored under their id, with `id`, `folder` and `path`.
        unlisted: Stored models that are not listed under their id, with `id`, `model_path` and
            `model_name`.

    Returns:
        New ids by stored ids, no new one twice.
    """
    old = unlisted[~unlisted["id"].str.startswith(f"{backend_id}/")]
    if old.empty or new.empty:
        return {}
    files = _files_by_name(new)
    meant: dict[str, str] = {}
    for stored_id, *names in zip(old["id"], old["model_path"], old["model_name"], strict=True):
        found = [ids for name in names for ids in _lookup(files, name)]
        if found and len(found[0]) == 1:
            [meant[stored_id]] = found[0]
    claims = Counter(meant.values())
    return {old_id: new_id for old_id, new_id in meant.items() if claims[new_id] == 1}


def _files_by_name(new: pd.DataFrame) -> dict[str, set[str]]:
    files: dict[str, set[str]] = {}
    for id_, folder, path in zip(new["id"], new["folder"], new["path"], strict=True):
        for name in {f"{folder}/{path}", path, path.rpartition("/")[2]}:
            files.setdefault(name.casefold(), set()).add(id_)
    return files


def _lookup(files: dict[str, set[str]], name: Any) -> Iterator[set[str]]:  # noqa: ANN401
    """Look for a whole path first, for its last part then."""
    if isinstance(name, str) and name:
        path = name.replace("\\", "/").casefold()
        for one in (path, path.rpartition("/")[2]):
            if one in files:
                yield files[one]
