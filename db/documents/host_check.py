"""What one look at a host found."""

from datetime import datetime

from pydantic import Field

from db.documents.stored import Id, Stored


class HostCheckRecord(Stored):
    """A document of `host_checks`; what only some kinds of hosts tell stands beside these fields.

    Attributes:
        name: Of the host, unique within its kind.
        kind: Such as `face host` or `comfyui`.
        address: Without a user or a query.
        checked_at: UTC.
        state: In a word, such as `up` or `down`.
        latency_ms: Milliseconds until it had answered; null without an answer.
        version: Of the program that answered.
    """

    name: Id
    kind: Id
    address: str | None = None
    checked_at: datetime
    is_up: bool
    state: str | None = None
    latency_ms: float | None = Field(None, ge=0)
    version: str | None = None
