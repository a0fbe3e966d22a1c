"""One migrating run at a time, also after a killed run."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from sys import maxsize
from threading import Event, Thread
from uuid import uuid4

from pymongo import ReturnDocument, WriteConcern
from pymongo.collection import Collection
from pymongo.database import Database
from pymongo.errors import DuplicateKeyError

from db.connection import Document, translated_errors
from db.errors import DatabaseError, MigrationLockLost, MigrationRunning
from db.schema.documents.system import Lock


class LockRepository:
    """Takes, renews and releases locks by the clock of the database server."""

    def __init__(self, database: Database[Document]) -> None:
        self._locks = database["locks"]

    def take(self, name: str, holder: str, lasts: timedelta) -> tuple[str, Lock]:
        """Take a lock, unless another run holds it.

        The answer is the taker's token and the lock as it is now, the taker's if the tokens match.
        """
        token = uuid4().hex
        taker = {"token": token, "holder": {"$literal": holder}}
        mine = {**taker, "since": "$$NOW", "expires_at": _in(lasts)}
        kept = {field: f"${field}" for field in mine}
        is_free = {"$lt": [{"$ifNull": ["$expires_at", False]}, "$$NOW"]}
        update = [
            {"$replaceWith": {"$cond": [is_free, {"_id": name} | mine, {"_id": name} | kept]}}
        ]
        return token, self._find_and_update(name, update, lasts)

    def renew(self, name: str, token: str, lasts: timedelta) -> bool:
        """Hold a lock for longer."""
        with translated_errors():
            done = self._within(lasts / RENEWALS).update_one(
                {"_id": name, "token": token}, [{"$set": {"expires_at": _in(lasts)}}]
            )
        return done.matched_count == 1

    def release(self, name: str, token: str) -> None:
        """Release a lock, if it is still held."""
        with translated_errors():
            self._locks.delete_one({"_id": name, "token": token})

    def _within(self, lasts: timedelta) -> Collection[Document]:
        """Wait no longer than this for other members, since the lock would be lost meanwhile."""
        given = self._locks.write_concern.document
        bound = min(given.get("wtimeout", maxsize), round(lasts.total_seconds() * 1000))
        concern = WriteConcern(**{**given, "wtimeout": bound}) if given else None
        return self._locks.with_options(write_concern=concern)

    def _find_and_update(self, name: str, update: list[Document], lasts: timedelta) -> Lock:
        locks = self._within(lasts)
        with translated_errors():
            for last in (False, True):
                try:
                    found = locks.find_one_and_update(
                        {"_id": name}, update, upsert=True, return_document=ReturnDocument.AFTER
                    )
                    break
                except DuplicateKeyError:
                    # Two runs inserted it at the same moment; now it exists.
                    if last:
                        raise
        return Lock.model_validate(found)


def _in(lasts: timedelta) -> Document:
    milliseconds = round(lasts.total_seconds() * 1000)
    return {"$dateAdd": {"startDate": "$$NOW", "unit": "millisecond", "amount": milliseconds}}


NAME = "migrations"
LEASE = timedelta(seconds=15)
"""After which a killed run's lock is free."""
RENEWALS = 3
"""How often a living run renews its lock during a lease."""
POLLS = 20
"""How often a lock is read during a lease."""

log = logging.getLogger(__name__)


class HeldLock:
    """A lock that this process holds and renews in a thread of its own."""

    def __init__(self, locks: LockRepository, token: str, lease: timedelta) -> None:
        self._locks, self._token, self._lease = locks, token, lease
        self._ended = Event()
        self._sure_until = time.monotonic() + lease.total_seconds()
        self._thread = Thread(target=self._renew, name="migration lock", daemon=True)
        self._thread.start()

    def ensure_held(self) -> None:
        """Raise `MigrationLockLost` when the lock could not be renewed in time."""
        if time.monotonic() > self._sure_until:
            raise MigrationLockLost(
                "This run could not renew its lock in time, so another run may have taken "
                "over; run it again, it goes on where it stopped."
            )

    def release(self) -> None:
        """Stop renewing and release the lock."""
        self._ended.set()
        self._thread.join()
        self._locks.release(NAME, self._token)

    def _renew(self) -> None:
        seconds = self._lease.total_seconds()
        while not self._ended.wait(seconds / RENEWALS):
            asked = time.monotonic()
            try:
                if not self._locks.renew(NAME, self._token, self._lease):
                    self._sure_until = 0.0
                    return
                self._sure_until = asked + seconds
            except DatabaseError as error:
                log.warning("The lock of the migrations could not be renewed: %s", error)


@contextmanager
def migration_lock(
    locks: LockRepository, holder: str, lease: timedelta = LEASE
) -> Iterator[HeldLock]:
    """Hold the lock of the migrations; wait for the lock of a killed run to expire.

    A run that holds and renews it is named in `MigrationRunning`.
    """
    held = HeldLock(locks, _take(locks, holder, lease), lease)
    try:
        yield held
    finally:
        held.release()


def _take(locks: LockRepository, holder: str, lease: timedelta) -> str:
    first: Lock | None = None
    while True:
        token, found = locks.take(NAME, holder, lease)
        if found.token == token:
            return token
        first = first or found
        if (found.token, found.expires_at) != (first.token, first.expires_at):
            raise MigrationRunning(
                f"{found.holder} migrates this database since {found.since:%Y-%m-%d %H:%M:%S} UTC; "
                "wait until it has ended, then run this again."
            )
        time.sleep(lease.total_seconds() / POLLS)
