"""Reading one server: whether it is there, what it says about itself, which models it has."""

import time
from collections.abc import Sequence
from operator import attrgetter
from types import MappingProxyType
from typing import Literal

from storycanvas.catalog.comfyui.assets import with_asset_hashes
from storycanvas.catalog.comfyui.folders import read_folders
from storycanvas.catalog.comfyui.loaders import read_loaders
from storycanvas.catalog.comfyui.metadata import KnownMetadata, with_metadata
from storycanvas.catalog.comfyui.runpod import is_runpod, read_endpoint
from storycanvas.catalog.entries import Listing, ModelEntry, Problems, ServerReading
from storycanvas.catalog.errors import CatalogError, CatalogRefused, CatalogUnreachable, NotThere
from storycanvas.catalog.json_client import JsonClient
from storycanvas.catalog.storable import MAX_BYTES, cut_answer

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


STATUS_SECONDS = 5.0
"""How long a server may take to say that it is there."""

LISTING_SECONDS = 30.0
"""How long one of the further answers may keep silent; large disks take their time."""

_NONE_KNOWN: KnownMetadata = MappingProxyType({})


def read_server(
    url: str,
    *,
    kind: Literal["standard", "runpod"] = "standard",
    api_key: str | None = None,
    endpoint_id: str | None = None,
    read_metadata: bool = True,
    known_metadata: KnownMetadata = _NONE_KNOWN,
    status_seconds: float = STATUS_SECONDS,
    listing_seconds: float = LISTING_SECONDS,
) -> ServerReading:
    """Read a server's status, capabilities and models.

    Never raises for what a server does or says: that is in the reading.

    Args:
        url: Such as `http://gpu-box:8188`.
        kind: `runpod` for a serverless endpoint; an address at runpod.ai always is one.
        api_key: Sent as Bearer; never told in a message.
        endpoint_id: Of RunPod; without one it is what follows `/v2/` in the address.
        read_metadata: Whether to ask for hashes and for what the files say themselves.
        known_metadata: Files whose metadata was read before, by folder and path, with their size
            and time then; they are asked for again only when one of these has changed.
        status_seconds: How long the status may take.
        listing_seconds: How long each further answer may keep silent.
    """
    try:
        if kind == "runpod" or is_runpod(url):
            return read_endpoint(
                url, api_key=api_key, endpoint_id=endpoint_id, seconds=status_seconds
            )
        headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        with JsonClient(
            url,
            headers=headers,
            timeout_seconds=status_seconds,
            max_bytes=MAX_BYTES,
            whole_seconds=status_seconds,
        ) as client:
            reading = _status(client)
        if reading.status != "online":
            return reading
        with JsonClient(url, headers=headers, timeout_seconds=listing_seconds) as client:
            listing = read_listing(client, known_metadata, read_metadata=read_metadata)
    except CatalogRefused as error:  # the address or the key
        return ServerReading("error", error=str(error))
    return ServerReading("online", reading.seconds, reading.capabilities, listing)


def _status(client: JsonClient) -> ServerReading:
    begun = time.perf_counter()
    try:
        told = client.get("/system_stats")
    except CatalogUnreachable as error:
        return ServerReading("offline", error=str(error))
    except CatalogError as error:
        return ServerReading("error", time.perf_counter() - begun, error=str(error))
    took = time.perf_counter() - begun
    capabilities = cut_answer(told)
    if isinstance(capabilities, dict) and capabilities.keys() & {"system", "devices"}:
        return ServerReading("online", took, capabilities)
    return ServerReading(
        "error", took, error="Its /system_stats is not what ComfyUI answers. Check the address."
    )
