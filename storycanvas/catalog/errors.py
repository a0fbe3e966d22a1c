"""What can go wrong while servers and catalogs are read; each class says whether to try again."""

from typing import ClassVar


class CatalogError(Exception):
    """Base of all errors here."""

    retryable: ClassVar[bool] = False


class CatalogUnreachable(CatalogError):
    """No connection, or no answer in time."""

    retryable: ClassVar[bool] = True


class CatalogBusy(CatalogError):
    """The server asks to wait: 429, or an error of its own (5xx).

    Args:
        message: A sentence.
        wait_seconds: What its `Retry-After` says; None without one.
        status: What it answered; None without an answer.
    """

    retryable: ClassVar[bool] = True

    def __init__(
        self, message: str, wait_seconds: float | None = None, status: int | None = None
    ) -> None:
        super().__init__(message)
        self.wait_seconds = wait_seconds
        self.status = status


class LongWaitAsked(CatalogError):
    """The server asks to be left alone for longer than a run waits."""


class CatalogRefused(CatalogError):
    """The request is wrong, or the key is (4xx but 404 and 429)."""


class NotThere(CatalogError):
    """The server knows no such thing (404)."""


class AnswerUnreadable(CatalogError):
    """The answer is not JSON, too large, or of another shape."""
