"""Reading one server: whether it is there, what it says about itself, which models it has."""

import time
from types import MappingProxyType
from typing import Literal

from catalog.comfyui.cut_answer import MOST_BYTES, cut_answer
from catalog.comfyui.file_metadata import KnownMetadata
from catalog.comfyui.listing import read_listing
from catalog.comfyui.runpod import is_runpod, read_endpoint
from catalog.entries import ServerReading
from catalog.errors import CatalogError, CatalogRefused, CatalogUnreachable
from catalog.json_client import JsonClient

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
            max_bytes=MOST_BYTES,
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
