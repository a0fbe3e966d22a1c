"""Models that the app stored under its own ids, and which listed files they are.

The app made ids of the backend and the name alone (reference section 4.1), and names with the
server's separator. Such a model is taken over where only one file can be meant, and that is a new
one; any other is treated as a model that is not listed, so that it is kept and at most becomes
inactive.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from itertools import chain
from typing import Any


def adoptions(
    backend_id: str,
    new: Collection[str],
    known: Iterable[str],
    old: Iterable[Mapping[str, Any]],
) -> dict[str, str]:
    """Find what the app's models are called now.

    Args:
        backend_id: Whose models.
        new: Ids of listed models that are not stored under them.
        known: Ids of models that are; one of these may be meant, too, and then nothing is sure.
        old: Documents of the app's scheme.

    Returns:
        New ids by stored ids, no new one twice.
    """
    files = _files_by_name(backend_id, chain(new, known))
    meant: dict[str, str] = {}
    for one in old:
        found = _lookup(files, one.get("model_path") or one.get("model_name"))
        if len(found) == 1:
            [meant[one["id"]]] = found
    claims = Counter(meant.values())
    return {
        old_id: new_id for old_id, new_id in meant.items() if claims[new_id] == 1 and new_id in new
    }


def _files_by_name(backend_id: str, ids: Iterable[str]) -> dict[str, set[str]]:
    files: dict[str, set[str]] = {}
    for id_ in ids:
        place = id_.removeprefix(f"{backend_id}/")
        path = place.partition("/")[2]
        for name in {place, f"/{place}", path, path.rpartition("/")[2]}:
            files.setdefault(name.casefold(), set()).add(id_)
    return files


def _lookup(files: Mapping[str, set[str]], name: object) -> set[str]:
    """Look for a name, then for what a longer path ends in, from ComfyUI's folder on.

    A directory that is another one makes it another file.
    """
    if not isinstance(name, str):
        return set()
    path = name.replace("\\", "/").casefold()
    ends = (path[at:] for at, letter in enumerate(path) if letter == "/")
    return next((files[one] for one in (path, *ends) if one in files), set())
