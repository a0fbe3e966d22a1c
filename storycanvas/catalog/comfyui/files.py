"""The names that a server lists for one folder, as entries."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from storycanvas.catalog.entries import ModelEntry, Problems, shown
from storycanvas.catalog.names import is_model_file, normal_path

MAX_NAME_LENGTH = 1024
"""Characters; no file system holds a longer path in practice."""

MAX_NAMES = 500_000
"""Of one folder; a longer list is not read further."""

_REPLACEMENT = "\ufffd"


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What a server reports of a file besides its name.

    Attributes:
        size: Bytes.
        modified: Seconds since 1970.
    """

    size: int | None = None
    modified: float | None = None


@dataclass(frozen=True, slots=True)
class FolderFiles:
    """The models of one folder.

    Attributes:
        entries: In the server's order.
        complete: Whether nothing that may be a model is missing. A text that is not a path does not
            count: it can never have been an entry.
    """

    entries: tuple[ModelEntry, ...]
    complete: bool


_NO_FACTS = FileFacts()


def read_names(
    folder: str, names: Sequence[object], facts: Mapping[str, FileFacts], problems: Problems
) -> FolderFiles:
    """Turn the names that a server lists into entries; names of other files are left out.

    Args:
        folder: ComfyUI's folder.
        names: JSON values of any type.
        facts: By the name as the server spells it.
        problems: Gets each value that is not a name.
    """
    entries: dict[str, ModelEntry] = {}
    complete = len(names) <= MAX_NAMES
    if not complete:
        problems.add(folder, f"It lists more than {MAX_NAMES} names; the rest is not read.")
    for name in names[:MAX_NAMES]:
        if not isinstance(name, str):
            problems.add(f"{folder}: {shown(name)}", "A name has to be text.")
            complete = False
            continue
        path = _path(name)
        if path is None:
            problems.add(f"{folder}: {shown(name)}", "This is not a path below the folder.")
        elif path in entries:
            problems.add(f"{folder}: {shown(name)}", "It is listed twice; the first one is kept.")
        elif is_model_file(path):
            known = facts.get(name, _NO_FACTS)
            entries[path] = ModelEntry(folder, path, name, known.size, known.modified)
    return FolderFiles(tuple(entries.values()), complete)


def _path(name: str) -> str | None:
    if len(name) > MAX_NAME_LENGTH or _REPLACEMENT in name:
        return None
    return normal_path(name)
