"""All models of one server, by whichever way it tells them."""

from collections.abc import Sequence
from operator import attrgetter

from catalog.comfyui.assets import with_asset_hashes
from catalog.comfyui.file_metadata import KnownMetadata, with_metadata
from catalog.comfyui.folders import read_folders
from catalog.comfyui.loaders import read_loaders
from catalog.comfyui.problems import Problems
from catalog.entries import Listing, ModelEntry
from catalog.errors import CatalogError, CatalogUnreachable, NotThere
from catalog.json_client import JsonClient

_PLACE = attrgetter("folder", "path")
_Read = tuple[Sequence[ModelEntry], bool, frozenset[str] | None]


def read_listing(client: JsonClient, known: KnownMetadata, *, read_metadata: bool) -> Listing:
    """Read the models by folder, or from the loader nodes of a server that cannot tell folders.

    Args:
        client: The server.
        known: Files whose metadata is not asked for again.
        read_metadata: Whether to ask for hashes and for what the files say themselves.
    """
    problems = Problems()
    entries, complete, folders = _entries(client, problems)
    if read_metadata and entries:
        entries = with_asset_hashes(client, entries, problems)
        entries = with_metadata(client, entries, known, problems)
    return Listing(tuple(sorted(entries, key=_PLACE)), complete, problems.all(), folders)


def _entries(client: JsonClient, problems: Problems) -> _Read:
    try:
        folders = client.get("/models")
    except NotThere:
        return _from_loaders(client, problems)
    except CatalogUnreachable as error:
        problems.add("/models", str(error))
        return [], False, None
    except CatalogError as error:
        problems.add("/models", str(error))
    else:
        if isinstance(folders, list) and folders:
            return *read_folders(client, folders, problems), None
        problems.add("/models", "The answer is no list of folders.")
    # A server that has folders tells more by them than by its loaders.
    return _from_loaders(client, problems)[0], False, None


def _from_loaders(client: JsonClient, problems: Problems) -> _Read:
    try:
        told = client.get("/object_info")
    except CatalogError as error:
        problems.add("/object_info", str(error))
        return [], False, None
    return read_loaders(told, problems)
