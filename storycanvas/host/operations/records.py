"""What a host has promised to do: operations taken with 202, kept over restarts until a day after.

Each has a file of its own. It is there before its client is answered, so an operation that was
taken is done although its client, or this program, goes away meanwhile.
"""

import hashlib
import hmac
import json
import logging
import re
import secrets
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from storycanvas.faces.contract import OperationStatus
from storycanvas.host.storage.disk import (
    refused_when_unwritable,
    remove_older,
    remove_parts,
)
from storycanvas.net.atomic_files import write_atomically

_log = logging.getLogger(__name__)

OPERATION_ID = re.compile(r"[0-9a-f]{32}")
_SECRET_BYTES = 32
_MAX_READ = 1000
"""Ended operations that one listing reads at most, newest first."""


class OperationRecord(BaseModel):
    """An operation that was taken; fields of a newer version are ignored.

    Attributes:
        id: Its name.
        owner: Which token took it; empty where tokens have no names.
        key: Its idempotency key.
        fingerprint: Hash of its request.
        operation: Its path.
        request: The request's body; empty once it has ended.
        created_at: When it was taken, UTC.
        restarts: How often the host was started again before it was done.
        ended: What its id is answered with since its end; None before.
        body: The answer as it was sent; only of a success.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    id: str
    owner: str = ""
    key: str | None = None
    fingerprint: str
    operation: str
    request: dict[str, Any] = {}
    created_at: datetime
    restarts: int = 0
    ended: OperationStatus | None = None
    body: str | None = None


class OperationRecords:
    """A folder with one file per operation, and the secret from which ids are made."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._secret = self._own_secret()

    def id_of(self, owner: str, key: str | None) -> str:
        """Make an id: the same for an owner's same key, and not to be guessed by another."""
        if key is None:
            return secrets.token_hex(16)
        return hmac.new(self._secret, f"{owner}\n{key}".encode(), hashlib.sha256).hexdigest()[:32]

    def find(self, operation_id: str, owner: str) -> OperationRecord | None:
        """Read a record; None if there is none, it is unreadable, or another owner's."""
        if not OPERATION_ID.fullmatch(operation_id):
            return None
        record = self._read(self._path(operation_id))
        return record if record is not None and record.owner == owner else None

    def keep(self, record: OperationRecord) -> None:
        """Write a record; it survives a crash from the moment this returns."""
        with refused_when_unwritable(self._folder):
            write_atomically(self._path(record.id), record.model_dump_json().encode())

    def open_ones(self) -> list[OperationRecord]:
        """List what has not ended, in the order in which it was taken."""
        found = (self._read(path) for path in self._folder.glob("*.json"))
        unfinished = [record for record in found if record is not None and record.ended is None]
        return sorted(unfinished, key=lambda record: record.created_at)

    def ended_ones(self) -> Iterator[tuple[str, OperationStatus]]:
        """Go through ended operations, the newest first, each with its owner."""
        for path in self._newest_first()[:_MAX_READ]:
            record = self._read(path)
            if record is not None and record.ended is not None:
                yield record.owner, record.ended

    def remove_older(self, seconds: float) -> int:
        """Remove records older than that many seconds, and return how many."""
        return remove_older(self._folder, seconds, ".json")

    def tidy(self) -> None:
        """Remove half-written files, before the first request."""
        remove_parts(self._folder)

    def _newest_first(self) -> list[Path]:
        times: dict[Path, float] = {}
        for path in self._folder.glob("*.json"):
            try:
                times[path] = path.stat().st_mtime
            except FileNotFoundError:
                continue
        return sorted(times, key=lambda path: times[path], reverse=True)

    def _read(self, path: Path) -> OperationRecord | None:
        try:
            return OperationRecord.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            return None
        except ValidationError:
            _log.error("the record of the operation %s is unreadable and left out", path.name)
            return None

    def _path(self, operation_id: str) -> Path:
        return self._folder / f"{operation_id}.json"

    def _own_secret(self) -> bytes:
        path = self._folder / "secret"
        try:
            secret = bytes.fromhex(json.loads(path.read_text())["secret"])
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            secret = b""
        if len(secret) < _SECRET_BYTES:
            secret = secrets.token_bytes(_SECRET_BYTES)
            with refused_when_unwritable(self._folder):
                write_atomically(path, json.dumps({"secret": secret.hex()}).encode())
        return secret
