"""Asking image stores, ComfyUI servers and RunPod endpoints."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import fsspec

from storycanvas.catalog.comfyui.server import authorization, read_endpoint
from storycanvas.catalog.errors import CatalogError
from storycanvas.catalog.health.checks import Answer, HostQueue, failed, timed
from storycanvas.catalog.json_client import JsonClient

_LOCAL = ("file", "local")
_MEGABYTE = 1024 * 1024


def ask_image_store(url: str, min_free_mb: int = 0) -> Answer:
    """Check the root of an image store; nothing is written.

    Args:
        url: fsspec URL of the root, such as `file:///srv/images` or `s3://bucket/images`.
        min_free_mb: Megabytes that a local store must have free for face runs to go on.
    """
    try:
        files, root = fsspec.core.url_to_fs(url)
        if set(_protocols(files)) & set(_LOCAL):
            return _folder(Path(root), min_free_mb)
        return _bucket(files, root)
    except (ImportError, ValueError, OSError) as error:
        state = "down" if isinstance(error, ConnectionError | TimeoutError) else "error"
        return Answer(
            state=state,
            note=f"The image store cannot be checked ({type(error).__name__}); correct "
            "IMAGE_STORE or the block, or the rights there.",
        )


def _folder(root: Path, min_free_mb: int) -> Answer:
    there, latency = timed(root.exists)
    nearest = next(place for place in (root, *root.parents) if place.exists())
    if not nearest.is_dir():
        return Answer(state="error", note="The root of the image store is not a folder.")
    free = shutil.disk_usage(nearest).free
    if not os.access(nearest, os.W_OK | os.X_OK):
        return Answer(
            state="error",
            free_disk_bytes=free,
            note="This user may not write to the image store; give it the right to.",
        )
    if free < min_free_mb * _MEGABYTE:
        return Answer(
            state="error",
            free_disk_bytes=free,
            note=f"Less than the {min_free_mb} MB of STORYCANVAS_STORE_MIN_FREE_MB are free, so no "
            "operation is sent to a face host; make room there.",
        )
    return Answer(
        latency_ms=latency,
        free_disk_bytes=free,
        note=None if there else "Its folder is not there yet; the first picture makes it.",
    )


def _bucket(files: Any, root: str) -> Answer:  # noqa: ANN401 - fsspec ships no types
    files.invalidate_cache()
    there, latency = timed(lambda: bool(files.exists(root)))
    if there:
        return Answer(latency_ms=latency)
    bucket = root.strip("/").partition("/")[0]
    if files.exists(bucket):
        return Answer(latency_ms=latency, note="It holds nothing yet.")
    return Answer(state="error", note="Its bucket does not exist, or this user may not see it.")


def _protocols(files: Any) -> tuple[str, ...]:  # noqa: ANN401 - fsspec ships no types
    return (files.protocol,) if isinstance(files.protocol, str) else tuple(files.protocol)


STATUS_SECONDS = 3.0
QUEUE_SECONDS = 1.5
"""Together less than the limit of a whole check, so that the reason is reported."""

_OTHER_PROGRAM = (
    "Its /system_stats is not that of a ComfyUI server; does another program listen there?"
)

_MAX_BYTES = 32 * 1024 * 1024
"""ComfyUI's queue quotes the whole workflow of every job."""


def ask_comfyui(url: str, api_key: str | None = None) -> Answer:
    """Ask a ComfyUI server for its version and for the length of its queue."""
    try:
        with _client(url, api_key, STATUS_SECONDS) as client:
            stats, latency = timed(lambda: client.get("/system_stats"))
    except CatalogError as error:
        return failed(error)
    system = stats.get("system") if isinstance(stats, Mapping) else None
    if not isinstance(system, Mapping):
        return Answer(state="error", note=_OTHER_PROGRAM)
    version = system.get("comfyui_version")
    queue, note = _queue_of(url, api_key)
    return Answer(
        latency_ms=latency,
        version=version if isinstance(version, str) else None,
        queue=queue,
        note=note,
    )


def ask_runpod(url: str, api_key: str | None, endpoint_id: str | None) -> Answer:
    """Ask RunPod how many jobs an endpoint has, which starts no worker; see `read_endpoint`."""
    try:
        reading = read_endpoint(
            url, api_key=api_key, endpoint_id=endpoint_id, seconds=STATUS_SECONDS
        )
    except CatalogError as error:
        return failed(error)
    if reading.status != "online":
        return Answer(state="down" if reading.status == "offline" else "error", note=reading.error)
    found = (reading.capabilities or {}).get("jobs")
    jobs = found if isinstance(found, Mapping) else {}
    return Answer(
        latency_ms=None if reading.seconds is None else round(reading.seconds * 1000, 1),
        queue=_queue(_count(jobs.get("inProgress")), _count(jobs.get("inQueue"))),
    )


def _client(url: str, api_key: str | None, seconds: float) -> JsonClient:
    return JsonClient(
        url,
        headers=authorization(api_key),
        timeout_seconds=seconds,
        whole_seconds=seconds,
        max_bytes=_MAX_BYTES,
    )


def _queue_of(url: str, api_key: str | None) -> tuple[HostQueue | None, str | None]:
    """Read the queue, or why it is unknown; the server can work all the same."""
    try:
        with _client(url, api_key, QUEUE_SECONDS) as client:
            answer = client.get("/queue")
    except CatalogError as error:
        return None, f"Its queue is unknown: {error}"
    queue = answer if isinstance(answer, Mapping) else {}
    return _queue(_count(queue.get("queue_running")), _count(queue.get("queue_pending"))), None


def _queue(running: int | None, waiting: int | None) -> HostQueue | None:
    if running is None or waiting is None:
        return None
    return HostQueue(running=running, waiting=waiting)


def _count(value: object) -> int | None:
    """Read a number of jobs, or count the jobs of a list."""
    if isinstance(value, list):
        return len(value)
    return value if type(value) is int and value >= 0 else None
