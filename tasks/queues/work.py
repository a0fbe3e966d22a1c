"""What a drain needs of a queue: how its documents are worked on, and what their ends look like."""

from dataclasses import dataclass, field
from typing import Protocol

from db.connection import Document
from db.queues.claims import Claim
from db.queues.queue import Queue
from tasks.queues.held import HeldClaim


@dataclass(frozen=True)
class WorkResult:
    """What the work on a document came to.

    Attributes:
        done: Whether all of it is done.
        enough: Whether it counts as completed, even if some of it stays undone.
        errors: Why some of it is not.
        values: What the document gets at its end.
        steps: What its steps became, in words.
    """

    done: bool = False
    enough: bool = False
    errors: tuple[BaseException, ...] = ()
    values: Document = field(default_factory=dict)
    steps: str = ""


class Work(Protocol):
    """How the documents of a queue are worked on."""

    queue: Queue

    def label(self, claim: Claim) -> str:
        """Name a document in logs and tasks."""
        ...

    def do(self, held: HeldClaim) -> WorkResult:
        """Do what a document asks for; what it raises counts as its only error."""
        ...

    def end_values(self, held: HeldClaim, status: str) -> Document:
        """Give the fields that an end has besides status, time and error."""
        ...

    def after_end(self, claim: Claim) -> None:
        """Follow an end up, whether this worker wrote it or found it written."""
        ...
