"""Whether an image store takes and gives pictures now, and the one sentence that says why not.

An object of a bucket is created under a condition (Amazon S3, "How to prevent object overwrites
with conditional writes"): `If-None-Match: *` is refused with 412 where the object exists, and with
409 where another request decides it at that moment.
"""

import errno
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from stat import S_ISREG
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from storycanvas.faces.errors import FaceError, StoreUnavailable
from storycanvas.net.redact import redact_url

P = ParamSpec("P")
R = TypeVar("R")

MEGABYTE = 1024 * 1024
_ROOM = "make room there"
_RIGHTS = "let this user write there"
_REMEDIES = {
    errno.ENOSPC: _ROOM,
    getattr(errno, "EDQUOT", errno.ENOSPC): _ROOM,
    errno.EROFS: "mount it so that it can be written",
    errno.EACCES: _RIGHTS,
    errno.EPERM: _RIGHTS,
}
_OTHER_REMEDY = "see whether it is mounted and answers"
_REFUSED_CONDITIONS = {"PreconditionFailed", "ConditionalRequestConflict", "NotImplemented"}
"""Codes of S3 for a condition that is not met, is not decided yet, or is not known."""
_NOT_THERE = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG}


class _Store(Protocol):
    @property
    def url(self) -> str: ...

    @property
    def folder(self) -> Path | None: ...


Store = TypeVar("Store", bound=_Store)


def translated(
    method: Callable[Concatenate[Store, P], R],
) -> Callable[Concatenate[Store, P], R]:
    """Make a method of a store raise `StoreUnavailable` where the store itself is the trouble."""

    @wraps(method)
    def call(store: Store, /, *args: P.args, **named: P.kwargs) -> R:
        with translated_errors(store.url, store.folder):
            return method(store, *args, **named)

    return call


@contextmanager
def translated_errors(url: str, folder: Path | None) -> Iterator[None]:
    """Turn the errors of a store's disk or bucket into `StoreUnavailable`.

    Args:
        url: The store's root.
        folder: The root as a local folder; None for a bucket, whose library has errors of its own.
    """
    try:
        yield
    except FaceError:
        raise
    except OSError as error:
        raise StoreUnavailable(_sentence(url, folder, error)) from error
    except Exception as error:
        if folder is not None:
            raise
        raise StoreUnavailable(_sentence(url, folder, error)) from error


def require_room(url: str, folder: Path, megabytes: int) -> None:
    """Check that a local store can take pictures.

    Raises:
        StoreUnavailable: Less is free, or nothing can be written there.
    """
    with translated_errors(url, folder):
        place = _nearest(folder)
        free = shutil.disk_usage(place).free
    if free < megabytes * MEGABYTE:
        raise StoreUnavailable(
            f"The image store {redact_url(url)} has {free:,} bytes free, less than the {megabytes} "
            "MB of STORYCANVAS_STORE_MIN_FREE_MB, so no operation is sent to a host; make room "
            "there and start the run again."
        )
    if not os.access(place, os.W_OK | os.X_OK):
        raise StoreUnavailable(
            f"The image store {redact_url(url)} cannot be written ({free:,} bytes free), so no "
            f"operation is sent to a host; {_RIGHTS} and start the run again."
        )


def is_file(path: Path) -> bool:
    """Check whether a file is there; a disk that cannot say so is an `OSError`, not a no."""
    try:
        return S_ISREG(path.stat().st_mode)
    except ValueError:  # of a name that no file can have
        return False
    except OSError as error:
        if error.errno in _NOT_THERE:
            return False
        raise


def create_object(files: Any, location: str, data: bytes) -> bool:  # noqa: ANN401 - fsspec has no types
    """Write an object unless there is one.

    Of several processes that create it at the same moment, one does; where a server knows no
    conditions, the last one does.

    Args:
        files: The fsspec file system.
        location: Its path there.
        data: All of its bytes.

    Returns:
        Whether this call created it.
    """
    try:
        files.pipe_file(location, data, mode="create")
    except FileExistsError:
        return False
    except OSError as error:
        if not _is_refused_condition(error):
            raise
        if files.exists(location):
            return False
        files.pipe_file(location, data)
    return True


def _is_refused_condition(error: OSError) -> bool:
    """Read the code of the server's answer, which s3fs does not translate in every case."""
    response = getattr(error.__cause__, "response", None)
    return (
        isinstance(response, dict) and response.get("Error", {}).get("Code") in _REFUSED_CONDITIONS
    )


def _sentence(url: str, folder: Path | None, error: Exception) -> str:
    number = getattr(error, "errno", None)
    # The text of a bucket's error may hold an address with a key, so only its class is named.
    reason = getattr(error, "strerror", None) if folder is not None else None
    room = "" if folder is None else _free(folder)
    return (
        f"The image store {redact_url(url)} cannot be used: "
        f"{reason or type(error).__name__}{room}; {_REMEDIES.get(number or 0, _OTHER_REMEDY)} and "
        "start the run again, what a host has finished is not done twice."
    )


def _free(folder: Path) -> str:
    try:
        return f", {shutil.disk_usage(_nearest(folder)).free:,} bytes free"
    except OSError:
        return ""


def _nearest(folder: Path) -> Path:
    """Find the folder itself, or the one in which it would be created."""
    return next((place for place in (folder, *folder.parents) if place.exists()), Path("/"))
