"""RunPod's serverless endpoints: their health; they do not list their models."""

import re
import time
from collections.abc import Mapping

import httpx

from storycanvas.catalog.entries import ServerReading
from storycanvas.catalog.errors import CatalogError, CatalogUnreachable
from storycanvas.catalog.json_client import JsonClient, checked_url
from storycanvas.catalog.storable import MAX_BYTES, cut_answer

NO_MODELS = "RunPod tells no models, so which ones this endpoint has is unknown."
"""Why the models of an endpoint that is online are unknown."""

_ID = re.compile(r"[A-Za-z0-9_-]{1,100}")
_COUNTS = ("jobs", "workers")


def is_runpod(url: str) -> bool:
    """Tell by the host whether an address is one of RunPod's serverless endpoints.

    Raises:
        CatalogRefused: It is no address.
    """
    host = checked_url(url).host
    return host == "runpod.ai" or host.endswith(".runpod.ai")


def read_endpoint(
    url: str, *, api_key: str | None, endpoint_id: str | None, seconds: float
) -> ServerReading:
    """Ask `/v2/{id}/health`, which counts jobs and workers.

    Args:
        url: Of the endpoint, or only of RunPod if `endpoint_id` is given.
        api_key: Sent as Bearer; never told in a message.
        endpoint_id: Its id; without one it is what follows `/v2/` in the address.
        seconds: How long to wait.

    Raises:
        CatalogRefused: The address is none, or the key holds what HTTP cannot carry.
    """
    address = checked_url(url)
    name = endpoint_id or _id_in(address)
    if not _ID.fullmatch(name):
        return ServerReading(
            "error",
            error="The endpoint has no id. Set endpoint_id, or end the address in /v2/ID.",
        )
    origin = str(address.copy_with(path="/", userinfo=b""))
    headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
    with JsonClient(
        origin,
        headers=headers,
        proxied=True,
        timeout_seconds=seconds,
        max_bytes=MAX_BYTES,
        whole_seconds=seconds,
    ) as client:
        return _health(client, name)


def _id_in(address: httpx.URL) -> str:
    return address.path.partition("/v2/")[2].partition("/")[0]


def _health(client: JsonClient, name: str) -> ServerReading:
    begun = time.perf_counter()
    try:
        told = client.get(f"/v2/{name}/health")
    except CatalogUnreachable as error:
        return ServerReading("offline", error=str(error))
    except CatalogError as error:
        return ServerReading("error", time.perf_counter() - begun, error=str(error))
    took = time.perf_counter() - begun
    counts = _counts(told)
    if not any(counts.values()):
        return ServerReading("error", took, error="The endpoint's health tells no jobs or workers.")
    return ServerReading("online", took, counts, error=NO_MODELS)


def _counts(told: object) -> dict[str, object]:
    """Keep the numbers of `jobs` and `workers`."""
    parts = {name: told.get(name) for name in _COUNTS} if isinstance(told, dict) else {}
    return {
        name: cut_answer({key: n for key, n in part.items() if isinstance(n, int | float)})
        for name, part in parts.items()
        if isinstance(part, Mapping)
    }
