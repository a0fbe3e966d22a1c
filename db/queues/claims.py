"""Claiming work from a queue, and writing to it only as long as the claim holds.

Every write names the claim's token (a fencing token): once another worker has the document, or a
person has cancelled it, nothing matches and nothing is written. Times are the server's, so workers
whose clocks differ agree.
"""

import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4

from pymongo import ReturnDocument
from pymongo.database import Database

from db.connection import Document, reading_anything, settled, translated_errors
from db.errors import DocumentTooLarge
from db.queues.queue import DELAY, LEASE, MAX_ATTEMPTS, RELEASED, Queue, after, literals

log = logging.getLogger(__name__)


_ATTEMPTS: Document = {"$convert": {"input": "$attempts", "to": "int", "onError": 0, "onNull": 0}}
"""Another program may have written anything: one document is not to stop the whole queue."""


@dataclass(frozen=True)
class Claim:
    """A document that this worker has claimed.

    Attributes:
        id: The document's.
        token: What every write of this claim names.
        document: As it was claimed.
    """

    id: str
    token: str
    document: Document

    @property
    def attempt(self) -> int:
        """Which attempt this is, from 1."""
        return int(self.document.get("attempts") or 1)

    @property
    def is_last(self) -> bool:
        """Whether this is its last attempt."""
        return self.attempt >= MAX_ATTEMPTS

    @property
    def held(self) -> Document:
        """The query that finds the document only as long as the claim holds."""
        return {"id": self.id, "claim_token": self.token, "status": "processing"}


class ClaimRepository:
    """Claims documents of a queue and ends them, each by one atomic update.

    Args:
        database: The StoryCanvas database.
        queue: Which queue.
        holder: Who claims, as people read it in the document.
        flow_run_id: The flow run that does the work.
    """

    def __init__(
        self, database: Database[Document], queue: Queue, holder: str, flow_run_id: str
    ) -> None:
        self.queue = queue
        self._documents = settled(reading_anything(database))[queue.collection]
        self._holder = holder
        self._flow_run_id = flow_run_id
        self._unsure: str | None = None

    def claim(self, kinds: tuple[str, ...] = ()) -> Claim | None:
        """Claim the document that is next; None if nothing is to be claimed now.

        An answer that was lost on its way may have claimed a document: the next call finds it by
        the token of the call that failed, so that no attempt is lost.
        """
        found = self._found_again()
        if found is not None:
            return found
        token = self._unsure = uuid4().hex
        claimed = {
            "status": "processing",
            **literals({"claim_token": token, "claimed_by": self._holder}),
            **literals({"flow_run_id": self._flow_run_id}),
            "attempts": {"$add": [_ATTEMPTS, 1]},
            "lease_expires_at": after(LEASE),
            "started_at": {"$ifNull": ["$started_at", "$$NOW"]},
            "updated_at": "$$NOW",
        }
        document = self._claimed(self.queue.claimable(kinds), claimed)
        self._unsure = None
        return None if document is None else Claim(document["id"], token, document)

    def _claimed(self, claimable: Document, claimed: Document) -> Document | None:
        while True:
            try:
                with translated_errors():
                    return self._documents.find_one_and_update(
                        claimable,
                        [{"$set": claimed}],
                        sort=[*self.queue.order],
                        return_document=ReturnDocument.AFTER,
                    )
            except DocumentTooLarge:
                self._refuse_first(claimable)

    def _refuse_first(self, claimable: Document) -> None:
        """Fail the first document, which has no room for a claim, else no other would be claimed.

        `failed` takes no more room than what it replaces; a reason would.
        """
        with translated_errors():
            first = self._documents.find_one(
                claimable, {"_id": True, "id": True}, sort=[*self.queue.order]
            )
            if first is not None:
                waiting = {"_id": first["_id"], "status": self.queue.waiting}
                self._documents.update_one(waiting, {"$set": {"status": "failed"}})
                name = self.queue.collection
                log.error("%s of %s is too large to be claimed: failed.", first["id"], name)

    def _found_again(self) -> Claim | None:
        if self._unsure is None:
            return None
        with translated_errors():
            document = self._documents.find_one(
                {"status": "processing", "claim_token": self._unsure}
            )
        token, self._unsure = self._unsure, None
        return None if document is None else Claim(document["id"], token, document)

    def holds(self, claim: Claim) -> bool:
        """Check whether a claim holds: it was neither cancelled nor taken over."""
        with translated_errors():
            return self._documents.find_one(claim.held, {"_id": True}) is not None

    def renew(self, claim: Claim) -> bool:
        """Hold a claim for another lease."""
        return self.write(claim, {})

    def write(self, claim: Claim, values: Document, computed: Document | None = None) -> bool:
        """Write fields and renew the lease.

        Args:
            claim: The claim.
            values: Fields as they are stored.
            computed: Expressions of the server's own.

        Returns:
            Whether the claim still holds; if it does not, nothing was written.
        """
        lease: Document = {"lease_expires_at": after(LEASE), "updated_at": "$$NOW"}
        return self._update(claim, lease | literals(values) | (computed or {}))

    def end(self, claim: Claim, status: str, values: Document) -> bool:
        """End a document with a status.

        Returns:
            Whether this claim ended it.
        """
        ended: Document = {"status": status, "completed_at": "$$NOW"}
        return self._update(claim, RELEASED | ended | literals(values))

    def give_back(self, claim: Claim, values: Document, *, delay: timedelta = DELAY) -> bool:
        """Give a document back whose work could not be begun: the attempt does not count."""
        attempts = {"$max": [0, {"$subtract": [_ATTEMPTS, 1]}]}
        return self._put_back(claim, {"attempts": attempts} | literals(values), delay)

    def try_later(self, claim: Claim, values: Document) -> bool:
        """Put a document back whose attempt failed for a reason that may pass.

        It waits 30 s, doubled for each attempt; the last one (`Claim.is_last`) is ended instead.
        """
        return self._put_back(claim, literals(values), DELAY * 2**claim.attempt)

    def _put_back(self, claim: Claim, values: Document, delay: timedelta) -> bool:
        waiting = {"status": self.queue.waiting, "not_before": after(delay) if delay else None}
        return self._update(claim, {**RELEASED, **waiting, **values})

    def _update(self, claim: Claim, fields: dict[str, Any]) -> bool:
        with translated_errors():
            done = self._documents.update_one(claim.held, [{"$set": fields}])
        return done.matched_count == 1
