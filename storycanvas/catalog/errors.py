"""Errors of reading servers and catalogs; `retryable` is set on each class."""

from http import HTTPStatus
from typing import ClassVar

_OF_A_REQUEST = frozenset(
    {HTTPStatus.INTERNAL_SERVER_ERROR, HTTPStatus.BAD_GATEWAY, HTTPStatus.GATEWAY_TIMEOUT}
)
"""What a site answers where one model breaks its answer, or the answer takes it too long."""


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

    @property
    def may_be_of_the_request(self) -> bool:
        """Whether the very same request may always be answered so, while others are not."""
        return self.status in _OF_A_REQUEST


class LongWaitAsked(CatalogError):
    """The server asks for a longer wait than a run makes."""


class PageBroken(CatalogError):
    """The server cannot answer a part of its list, however small, although it is up.

    Args:
        error: The last answer.
        cursor: Where the part begins; None at the list's start.
    """

    def __init__(self, error: CatalogBusy, cursor: str | None = None) -> None:
        super().__init__(f"A part of the list cannot be read. {error}")
        self.error = error
        self.cursor = cursor


_OF_THE_KEY = frozenset(
    {
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.PROXY_AUTHENTICATION_REQUIRED,
        HTTPStatus.UNAVAILABLE_FOR_LEGAL_REASONS,
    }
)


class CatalogRefused(CatalogError):
    """The request or the key is wrong (4xx except 404 and 429).

    Args:
        message: A sentence.
        status: The HTTP status; None if nothing was sent.
    """

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status

    @property
    def may_be_of_the_request(self) -> bool:
        """Whether the request itself is refused, not the key or the machine."""
        return self.status not in _OF_THE_KEY


class NotThere(CatalogError):
    """The server does not know the address (404)."""


class AnswerUnreadable(CatalogError):
    """The answer is not JSON, too large, or of another shape."""
