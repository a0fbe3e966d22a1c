"""Asking whether pictures can be kept."""

import os
import shutil
from pathlib import Path
from typing import Any

import fsspec

from catalog.health.check import Answer
from catalog.health.probe import timed

_LOCAL = ("file", "local")


def ask_image_store(url: str) -> Answer:
    """Look at the root of an image store; nothing is written.

    Args:
        url: fsspec URL of the root, such as `file:///srv/images` or `s3://bucket/images`.
    """
    try:
        files, root = fsspec.core.url_to_fs(url)
        if set(_protocols(files)) & set(_LOCAL):
            return _folder(Path(root))
        return _bucket(files, root)
    except (ImportError, ValueError, OSError) as error:
        state = "down" if isinstance(error, ConnectionError | TimeoutError) else "error"
        return Answer(
            state=state,
            note=f"The image store cannot be looked at ({type(error).__name__}); correct "
            "IMAGE_STORE or the block, or the rights there.",
        )


def _folder(root: Path) -> Answer:
    there, latency = timed(root.exists)
    nearest = next(place for place in (root, *root.parents) if place.exists())
    if not nearest.is_dir():
        return Answer(state="error", note="The root of the image store is no folder.")
    free = shutil.disk_usage(nearest).free
    if not os.access(nearest, os.W_OK | os.X_OK):
        return Answer(
            state="error",
            free_disk_bytes=free,
            note="This user may not write to the image store; give it the right to.",
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
