"""Results kept by idempotency key, so that an answer that got lost costs no second operation."""

import hashlib
import json
import logging
from pathlib import Path

from storycanvas.faces.errors import IdempotencyKeyReused
from storycanvas.host.storage.disk import (
    refused_when_unwritable,
    remove_older,
    remove_parts,
)
from storycanvas.net.atomic_files import write_atomically

_log = logging.getLogger(__name__)


class ResultStore:
    """A folder with one file per key; it outlives the program."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def find(self, key: str, fingerprint: str) -> str | None:
        """Return the body that a request was answered with before, or None.

        Raises:
            IdempotencyKeyReused: The key belongs to a request with another fingerprint.
        """
        path = self._path(key)
        try:
            body, asked = _read(path.read_bytes())
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError):
            _log.exception("the kept result %s is unreadable; the operation runs again", path.name)
            return None
        if asked != fingerprint:
            raise reused(key.rpartition("\n")[2])
        return body

    def keep(self, key: str, fingerprint: str, body: str) -> None:
        """Keep an answer; it survives a crash from the moment this returns."""
        kept = {"key": key, "fingerprint": fingerprint, "body": body}
        with refused_when_unwritable(self._folder):
            write_atomically(self._path(key), json.dumps(kept).encode())

    def remove_older(self, seconds: float) -> int:
        """Remove results older than that many seconds, and return how many."""
        return remove_older(self._folder, seconds)

    def tidy(self) -> None:
        """Remove half-written files, before the first request."""
        remove_parts(self._folder)

    def _path(self, key: str) -> Path:
        return self._folder / f"{hashlib.sha256(key.encode()).hexdigest()}.json"


def reused(key: str) -> IdempotencyKeyReused:
    """Describe the refusal of a key that came with another request before."""
    return IdempotencyKeyReused(
        f"The idempotency key {key} belongs to another request; use a new key for a new request."
    )


def output_of(body: str) -> str | None:
    """Name the output that a kept answer leads to, `asset:<name>`; None if it has none."""
    output = json.loads(body).get("output_path")
    return None if output is None else str(output)


def _read(data: bytes) -> tuple[str, str]:
    """Read a file of any version that has these two fields: the answer's body, the fingerprint."""
    kept = json.loads(data)
    body, asked = kept["body"], kept["fingerprint"]
    if not isinstance(body, str) or not isinstance(json.loads(body), dict):
        raise TypeError("the answer is not a JSON object")
    return body, str(asked)
