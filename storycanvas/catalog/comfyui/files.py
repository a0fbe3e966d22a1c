"""The names that a server lists for one folder, as entries."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from storycanvas.catalog.entries import ModelEntry, Problems, shown
from storycanvas.catalog.names import is_model_file, normal_path

MAX_NAME_LENGTH = 1024
"""Characters; no file system holds a longer path in practice."""

MAX_NAMES = 500_000
"""Of one folder; a list that goes on is not read further."""

_HALF_A_LETTER = "\ufffd"


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What a server tells of a file beside its name.

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
        complete: Whether nothing that may be a model is missing. A text that is no path does not
            count: it can never have been an entry.
    """

    entries: tuple[ModelEntry, ...]
    complete: bool


_UNTOLD = FileFacts()


def read_names(
    folder: str, names: Sequence[object], facts: Mapping[str, FileFacts], problems: Problems
) -> FolderFiles:
    """Turn a list of names into entries; what does not end as models do is left out.

    Args:
        folder: ComfyUI's folder.
        names: As the server lists them; may hold anything.
        facts: By the name as the server spells it.
        problems: Takes what is no name.
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
            problems.add(f"{folder}: {shown(name)}", "This is no path below the folder.")
        elif path in entries:
            problems.add(f"{folder}: {shown(name)}", "It is listed twice; the first one is kept.")
        elif is_model_file(path):
            told = facts.get(name, _UNTOLD)
            entries[path] = ModelEntry(folder, path, name, told.size, told.modified)
    return FolderFiles(tuple(entries.values()), complete)


def _path(name: str) -> str | None:
    if len(name) > MAX_NAME_LENGTH or _HALF_A_LETTER in name:
        return None
    return normal_path(name)
