"""The models of a server by folder, as `/models` and `/models/{folder}` list them."""

import math
from collections.abc import Sequence
from urllib.parse import quote

from storycanvas.catalog.comfyui.files import FileFacts, FolderFiles, read_names
from storycanvas.catalog.entries import ModelEntry, Problems, shown
from storycanvas.catalog.errors import CatalogError, CatalogUnreachable, NotThere
from storycanvas.catalog.json_client import JsonClient
from storycanvas.catalog.names import normal_path

_SIZES = range(2**63)
_LATEST = 253_402_300_800.0  # the end of the year 9999, the last one that dates know


class FactsReader:
    """Asks for the facts of one folder after another, until the server does not know them.

    Args:
        client: The server.
        problems: Takes what could not be read; models are never lost by it.
    """

    def __init__(self, client: JsonClient, problems: Problems) -> None:
        self._client = client
        self._problems = problems
        self._asks = True

    def of_folder(self, folder: str) -> dict[str, FileFacts]:
        """Read what the server tells of a folder's files, by name; empty if nothing."""
        if not self._asks:
            return {}
        try:
            rows = self._client.get(f"/experiment/models/{quote(folder, safe='')}")
        except NotThere:
            self._asks = False
            return {}
        except CatalogError as error:
            self._asks = not isinstance(error, CatalogUnreachable)
            self._problems.add(folder, f"Sizes are unknown. {error}")
            return {}
        if not isinstance(rows, list):
            self._problems.add(folder, "Sizes are unknown: the answer is no list.")
            return {}
        return read_facts(rows)


def read_facts(rows: Sequence[object]) -> dict[str, FileFacts]:
    """Read rows {name, pathIndex, modified, created, size}, whatever they hold.

    Args:
        rows: Of ComfyUI 0.3.60. A name in several places comes several times; the first one is
            what ComfyUI loads.
    """
    facts: dict[str, FileFacts] = {}
    for row in rows:
        if isinstance(row, dict) and isinstance(name := row.get("name"), str):
            facts.setdefault(name, FileFacts(_size(row.get("size")), _moment(row.get("modified"))))
    return facts


def _size(value: object) -> int | None:
    if isinstance(value, float) and math.isfinite(value) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if value in _SIZES else None


def _moment(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < _LATEST:
        return None
    return float(value)


NO_MODELS = {"configs", "custom_nodes"}
"""Folders that hold none, as ComfyUI 0.3.60 says; listing the latter walks all its code."""

MAX_FOLDERS = 500
"""Of one server."""

_MAX_FOLDER_LENGTH = 200
_MAX_SILENCES = 2
_NOTHING = FolderFiles((), complete=False)
_NONE_SUCH = FolderFiles((), complete=True)


def read_folders(
    client: JsonClient, told: Sequence[object], problems: Problems
) -> tuple[list[ModelEntry], bool]:
    """Read every folder that `/models` told.

    A folder that cannot be read costs no other one, unless the server falls silent.

    Args:
        client: The server.
        told: The answer of `/models`.
        problems: Takes what could not be read.

    Returns:
        The models, and whether none is missing.
    """
    folders, complete = _folder_names(told, problems)
    reader = _FolderReader(client, problems)
    entries: list[ModelEntry] = []
    for folder in folders:
        files = reader.read(folder)
        entries += files.entries
        complete = complete and files.complete
    if not reader.known:
        problems.add("/models", "None of the folders that it lists could be read.")
        complete = False
    return entries, complete


def _folder_names(told: Sequence[object], problems: Problems) -> tuple[Sequence[str], bool]:
    complete = len(told) <= MAX_FOLDERS
    if not complete:
        problems.add("/models", f"It lists more than {MAX_FOLDERS} folders; the rest is not read.")
    folders: dict[str, None] = {}
    for name in told[:MAX_FOLDERS]:
        if not isinstance(name, str):
            problems.add(f"/models: {shown(name)}", "The name of a folder has to be text.")
            complete = False
        elif not _is_folder(name):
            problems.add(f"/models: {shown(name)}", "This is no name of a folder.")
        elif name not in NO_MODELS:
            folders[name] = None
    return tuple(folders), complete


def _is_folder(name: str) -> bool:
    return len(name) <= _MAX_FOLDER_LENGTH and "/" not in name and normal_path(name) == name


class _FolderReader:
    """Reads one folder after another; stops asking a server that has fallen silent."""

    def __init__(self, client: JsonClient, problems: Problems) -> None:
        self.known = 0
        self._client = client
        self._problems = problems
        self._facts = FactsReader(client, problems)
        self._silences = 0

    def read(self, folder: str) -> FolderFiles:
        if self._silences >= _MAX_SILENCES:
            self._problems.add(folder, "Not asked for: the server did not answer before.")
            return _NOTHING
        try:
            names = self._client.get(f"/models/{quote(folder, safe='')}")
        except NotThere:
            return _NONE_SUCH
        except CatalogError as error:
            self._silences += isinstance(error, CatalogUnreachable)
            self._problems.add(folder, str(error))
            return _NOTHING
        if not isinstance(names, list):
            self._problems.add(folder, "The answer is no list of names.")
            return _NOTHING
        return self._files(folder, names)

    def _files(self, folder: str, names: Sequence[object]) -> FolderFiles:
        self.known += 1
        self._silences = 0
        facts = self._facts.of_folder(folder) if names else {}
        return read_names(folder, names, facts, self._problems)
