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
_LATEST = 253_402_300_800.0  # the end of the year 9999, the last that datetime holds


class FactsReader:
    """Reads the sizes and times of files by folder, until the server does not know the route."""

    def __init__(self, client: JsonClient, problems: Problems) -> None:
        self._client = client
        self._problems = problems
        self._is_known = True

    def of_folder(self, folder: str) -> dict[str, FileFacts]:
        """Read the facts of files by name; an answer that cannot be read costs no model."""
        if not self._is_known:
            return {}
        try:
            rows = self._client.get(f"/experiment/models/{quote(folder, safe='')}")
        except NotThere:
            self._is_known = False
            return {}
        except CatalogError as error:
            self._is_known = not isinstance(error, CatalogUnreachable)
            self._problems.add(folder, f"Sizes are unknown. {error}")
            return {}
        if not isinstance(rows, list):
            self._problems.add(folder, "Sizes are unknown: the answer is not a list.")
            return {}
        return read_facts(rows)


def read_facts(rows: Sequence[object]) -> dict[str, FileFacts]:
    """Read rows {name, pathIndex, modified, created, size}, whatever they hold.

    A name in several places comes several times; ComfyUI 0.3.60 loads the first one.
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
"""Folders without models in ComfyUI 0.3.60; listing `custom_nodes` would walk all its code."""

MAX_FOLDERS = 500
"""Of one server."""

_MAX_FOLDER_LENGTH = 200
_MAX_TIMEOUTS = 2
_UNREAD = FolderFiles((), complete=False)
_UNKNOWN_FOLDER = FolderFiles((), complete=True)


def read_folders(
    client: JsonClient, listed: Sequence[object], problems: Problems
) -> tuple[list[ModelEntry], bool, frozenset[str] | None]:
    """Read every folder that `/models` lists.

    A folder that cannot be read costs no other one, unless the server stops answering.

    Returns:
        The models, whether none is missing, and the folders that were read whole; None for all.
    """
    folders, complete = _folder_names(listed, problems)
    reader = _FolderReader(client, problems)
    entries: list[ModelEntry] = []
    whole: set[str] = set()
    for folder in folders:
        files = reader.read(folder)
        entries += files.entries
        if files.complete:
            whole.add(folder)
    if not reader.known:
        problems.add("/models", "None of the folders that it lists could be read.")
        return entries, False, frozenset()
    if complete and len(whole) == len(folders):
        return entries, True, None
    return entries, False, frozenset(whole)


def _folder_names(listed: Sequence[object], problems: Problems) -> tuple[Sequence[str], bool]:
    complete = len(listed) <= MAX_FOLDERS
    if not complete:
        problems.add("/models", f"It lists more than {MAX_FOLDERS} folders; the rest is not read.")
    folders: dict[str, None] = {}
    for name in listed[:MAX_FOLDERS]:
        if not isinstance(name, str):
            problems.add(f"/models: {shown(name)}", "The name of a folder has to be text.")
            complete = False
        elif not _is_folder(name):
            problems.add(f"/models: {shown(name)}", "This is not the name of a folder.")
        elif name not in NO_MODELS:
            folders[name] = None
    return tuple(folders), complete


def _is_folder(name: str) -> bool:
    return len(name) <= _MAX_FOLDER_LENGTH and "/" not in name and normal_path(name) == name


class _FolderReader:
    """Reads one folder after another; gives up a server that has stopped answering."""

    def __init__(self, client: JsonClient, problems: Problems) -> None:
        self.known = 0
        self._client = client
        self._problems = problems
        self._facts = FactsReader(client, problems)
        self._timeouts = 0

    def read(self, folder: str) -> FolderFiles:
        if self._timeouts >= _MAX_TIMEOUTS:
            self._problems.add(folder, "Not read: the server did not answer before.")
            return _UNREAD
        try:
            names = self._client.get(f"/models/{quote(folder, safe='')}")
        except NotThere:
            return _UNKNOWN_FOLDER
        except CatalogError as error:
            self._timeouts += isinstance(error, CatalogUnreachable)
            self._problems.add(folder, str(error))
            return _UNREAD
        if not isinstance(names, list):
            self._problems.add(folder, "The answer is not a list of names.")
            return _UNREAD
        return self._files(folder, names)

    def _files(self, folder: str, names: Sequence[object]) -> FolderFiles:
        self.known += 1
        self._timeouts = 0
        facts = self._facts.of_folder(folder) if names else {}
        return read_names(folder, names, facts, self._problems)
