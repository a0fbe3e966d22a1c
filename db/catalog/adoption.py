"""Models that the app stored under its own ids, and which listed files they are.

The app made ids of the backend and the name alone (reference section 4.1), and names with the
server's separator. Such a model is taken over where only one listed file can be meant; any other
is treated as a model that is not listed, so that it is kept and at most becomes inactive.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from db.catalog.listed import ListedModel


def adoptions(new: Mapping[str, ListedModel], old: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Find what the app's models are called now.

    Args:
        new: Listed models that are not stored under their id, by id.
        old: Documents of the app's scheme.

    Returns:
        New ids by stored ids, no new one twice.
    """
    files = _files_by_name(new)
    meant: dict[str, str] = {}
    for one in old:
        names = (one.get("model_path"), one.get("model_name"))
        found = [ids for name in names for ids in _lookup(files, name)]
        if found and len(found[0]) == 1:
            [meant[one["id"]]] = found[0]
    claims = Counter(meant.values())
    return {old_id: new_id for old_id, new_id in meant.items() if claims[new_id] == 1}


def _files_by_name(new: Mapping[str, ListedModel]) -> dict[str, set[str]]:
    files: dict[str, set[str]] = {}
    for id_, one in new.items():
        for name in {f"{one.folder}/{one.path}", one.path, one.path.rpartition("/")[2]}:
            files.setdefault(name.casefold(), set()).add(id_)
    return files


def _lookup(files: Mapping[str, set[str]], name: object) -> Iterator[set[str]]:
    """Look for a whole path first, for its last part then."""
    if isinstance(name, str) and name:
        path = name.replace("\\", "/").casefold()
        for one in (path, path.rpartition("/")[2]):
            if one in files:
                yield files[one]
