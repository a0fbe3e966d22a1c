"""Queries of `locks`."""

from datetime import timedelta
from uuid import uuid4

from pymongo import ReturnDocument
from pymongo.database import Database
from pymongo.errors import DuplicateKeyError

from db.connection import Document, translated_errors
from db.documents.lock import Lock


class LockRepository:
    """Takes, renews and releases locks by the clock of the database server."""

    def __init__(self, database: Database[Document]) -> None:
        self._locks = database["locks"]

    def take(self, name: str, holder: str, lasts: timedelta) -> tuple[str, Lock]:
        """Take a lock, unless somebody holds it.

        Args:
            name: What is locked.
            holder: Who takes it, in words.
            lasts: How long it holds unless it is renewed.

        Returns:
            The taker's token, and who holds the lock now: the taker if the tokens are the same.
        """
        token = uuid4().hex
        told = {"token": token, "holder": {"$literal": holder}}
        mine = {**told, "since": "$$NOW", "expires_at": _in(lasts)}
        kept = {field: f"${field}" for field in mine}
        is_free = {"$lt": [{"$ifNull": ["$expires_at", False]}, "$$NOW"]}
        update = [
            {"$replaceWith": {"$cond": [is_free, {"_id": name} | mine, {"_id": name} | kept]}}
        ]
        return token, self._find_and_update(name, update)

    def renew(self, name: str, token: str, lasts: timedelta) -> bool:
        """Hold a lock for longer.

        Returns:
            Whether it was still held.
        """
        with translated_errors():
            done = self._locks.update_one(
                {"_id": name, "token": token}, [{"$set": {"expires_at": _in(lasts)}}]
            )
        return done.matched_count == 1

    def release(self, name: str, token: str) -> None:
        """Give a lock back, if it is still held."""
        with translated_errors():
            self._locks.delete_one({"_id": name, "token": token})

    def _find_and_update(self, name: str, update: list[Document]) -> Lock:
        with translated_errors():
            for last in (False, True):
                try:
                    found = self._locks.find_one_and_update(
                        {"_id": name}, update, upsert=True, return_document=ReturnDocument.AFTER
                    )
                    break
                except DuplicateKeyError:
                    # Two inserted it at once; now it is there.
                    if last:
                        raise
        return Lock.model_validate(found)


def _in(lasts: timedelta) -> Document:
    milliseconds = round(lasts.total_seconds() * 1000)
    return {"$dateAdd": {"startDate": "$$NOW", "unit": "millisecond", "amount": milliseconds}}
