"""Errors of reading servers and catalogs; `retryable` is set on each class."""

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
        wait_seconds: Its `Retry-After`; None without one.
        status: Its HTTP status; None without an answer.
    """

    retryable: ClassVar[bool] = True

    def __init__(
        self, message: str, wait_seconds: float | None = None, status: int | None = None
    ) -> None:
        super().__init__(message)
        self.wait_seconds = wait_seconds
        self.status = status


class LongWaitAsked(CatalogError):
    """The server asks for a longer wait than a run makes."""


class CatalogRefused(CatalogError):
    """The request or the key is wrong (4xx except 404 and 429)."""


class NotThere(CatalogError):
    """The server does not know the address (404)."""


class AnswerUnreadable(CatalogError):
    """The answer is not JSON, too large, or of another shape."""
