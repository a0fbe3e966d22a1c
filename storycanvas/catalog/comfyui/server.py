"""Reading one server: whether it answers, its own description, and its models.

RunPod's serverless endpoints report their health only; they do not list their models.
"""

import re
import time
from collections.abc import Mapping, Sequence
from operator import attrgetter
from types import MappingProxyType
from typing import Literal

from storycanvas.catalog.comfyui.assets import with_asset_hashes
from storycanvas.catalog.comfyui.folders import read_folders
from storycanvas.catalog.comfyui.loaders import read_loaders
from storycanvas.catalog.comfyui.metadata import KnownMetadata, with_metadata
from storycanvas.catalog.entries import Listing, ModelEntry, Problems, ServerReading
from storycanvas.catalog.errors import CatalogError, CatalogRefused, CatalogUnreachable, NotThere
from storycanvas.catalog.json_client import JsonClient, checked_url
from storycanvas.catalog.storable import MAX_BYTES, cut_answer

STATUS_SECONDS = 5.0
"""How long a server may take to answer its status."""

LISTING_SECONDS = 30.0
"""How long one of the further answers may pause; large disks take their time."""

NO_MODELS = "RunPod lists no models, so those of this endpoint are unknown."
"""Why the models of an endpoint that is online are unknown."""

_ENDPOINT_ID = re.compile(r"[A-Za-z0-9_-]{1,100}")
_COUNTS = ("jobs", "workers")
_PLACE = attrgetter("folder", "path")
_NONE_KNOWN: KnownMetadata = MappingProxyType({})
_Read = tuple[Sequence[ModelEntry], bool, frozenset[str] | None]


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

    Whatever the server does or answers stands in the reading; nothing is raised.

    Args:
        url: Such as `http://gpu-box:8188`.
        kind: `runpod` for a serverless endpoint; an address at runpod.ai always is one.
        api_key: Sent as Bearer; part of no message.
        endpoint_id: Of RunPod; without it, the id is what follows `/v2/` in the address.
        read_metadata: Whether to request hashes and the files' own metadata.
        known_metadata: Files whose metadata was read before, by folder and path, with their size
            and time then; it is requested again only when one of these has changed.
        status_seconds: How long the status may take.
        listing_seconds: How long each further answer may pause.
    """
    try:
        if kind == "runpod" or is_runpod(url):
            return read_endpoint(
                url, api_key=api_key, endpoint_id=endpoint_id, seconds=status_seconds
            )
        reading = _read_comfyui(url, api_key, status_seconds)
        if reading.status != "online":
            return reading
        headers = authorization(api_key)
        with JsonClient(url, headers=headers, timeout_seconds=listing_seconds) as client:
            listing = read_listing(client, known_metadata, read_metadata=read_metadata)
    except CatalogRefused as error:  # the address or the key
        return ServerReading("error", error=str(error))
    return ServerReading("online", reading.seconds, reading.capabilities, listing)


def read_listing(client: JsonClient, known: KnownMetadata, *, read_metadata: bool) -> Listing:
    """Read the models by folder, or from the loader nodes of a server that cannot list folders.

    Args:
        client: The server.
        known: Files whose metadata is not requested again.
        read_metadata: Whether to request hashes and the files' own metadata.
    """
    problems = Problems()
    entries, complete, folders = _entries(client, problems)
    if read_metadata and entries:
        entries = with_asset_hashes(client, entries, problems)
        entries = with_metadata(client, entries, known, problems)
    return Listing(tuple(sorted(entries, key=_PLACE)), complete, problems.all(), folders)


def is_runpod(url: str) -> bool:
    """Whether the host of an address is RunPod's.

    Raises:
        CatalogRefused: `url` is not an address.
    """
    host = checked_url(url).host
    return host == "runpod.ai" or host.endswith(".runpod.ai")


def read_endpoint(
    url: str, *, api_key: str | None, endpoint_id: str | None, seconds: float
) -> ServerReading:
    """Read `/v2/{id}/health` of a RunPod endpoint, which counts jobs and workers.

    Args:
        url: Of the endpoint, or only of RunPod if `endpoint_id` is given.
        api_key: Sent as Bearer; part of no message.
        endpoint_id: Without it, the id is what follows `/v2/` in the address.
        seconds: Longest wait.

    Raises:
        CatalogRefused: `url` is not an address, or HTTP cannot carry the key.
    """
    address = checked_url(url)
    name = endpoint_id or address.path.partition("/v2/")[2].partition("/")[0]
    if not _ENDPOINT_ID.fullmatch(name):
        return ServerReading(
            "error",
            error="The endpoint has no id. Set endpoint_id, or end the address in /v2/ID.",
        )
    origin = str(address.copy_with(path="/", userinfo=b""))
    answer = _read_status(origin, f"/v2/{name}/health", api_key, seconds, proxied=True)
    if isinstance(answer, ServerReading):
        return answer
    health, took = answer
    counts = _counts(health)
    if not any(counts.values()):
        return ServerReading("error", took, error="The endpoint's health has no jobs or workers.")
    return ServerReading("online", took, counts, error=NO_MODELS)


def _read_comfyui(url: str, api_key: str | None, seconds: float) -> ServerReading:
    answer = _read_status(url, "/system_stats", api_key, seconds)
    if isinstance(answer, ServerReading):
        return answer
    stats, took = answer
    capabilities = cut_answer(stats)
    if isinstance(capabilities, dict) and capabilities.keys() & {"system", "devices"}:
        return ServerReading("online", took, capabilities)
    return ServerReading(
        "error", took, error="Its /system_stats is not what ComfyUI answers. Check the address."
    )


def _read_status(
    url: str, path: str, api_key: str | None, seconds: float, *, proxied: bool = False
) -> tuple[object, float] | ServerReading:
    """Read a status with the seconds that it took; without an answer, what that means."""
    with JsonClient(
        url,
        headers=authorization(api_key),
        proxied=proxied,
        timeout_seconds=seconds,
        max_bytes=MAX_BYTES,
        whole_seconds=seconds,
    ) as client:
        begun = time.perf_counter()
        try:
            return client.get(path), time.perf_counter() - begun
        except CatalogUnreachable as error:
            return ServerReading("offline", error=str(error))
        except CatalogError as error:
            return ServerReading("error", time.perf_counter() - begun, error=str(error))


def authorization(api_key: str | None) -> dict[str, str]:
    """Make the header of a key; none without one."""
    return {"Authorization": f"Bearer {api_key}"} if api_key else {}


def _counts(health: object) -> dict[str, object]:
    """Keep the numbers of `jobs` and `workers`."""
    parts = {name: health.get(name) for name in _COUNTS} if isinstance(health, dict) else {}
    return {
        name: cut_answer({key: n for key, n in part.items() if isinstance(n, int | float)})
        for name, part in parts.items()
        if isinstance(part, Mapping)
    }


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
            return read_folders(client, folders, problems)
        problems.add("/models", "The answer is not a list of folders.")
    # The loaders of a server with folders list less than the folders would.
    return _from_loaders(client, problems)[0], False, None


def _from_loaders(client: JsonClient, problems: Problems) -> _Read:
    try:
        nodes = client.get("/object_info")
    except CatalogError as error:
        problems.add("/object_info", str(error))
        return [], False, None
    return read_loaders(nodes, problems)
