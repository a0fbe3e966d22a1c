"""What the status of an answer means, in the catalog's words."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus

import httpx

from storycanvas.catalog.errors import AnswerUnreadable, CatalogBusy, CatalogRefused, NotThere

MAX_WAIT_SECONDS = 3600.0
"""What a `Retry-After` may ask for at most."""


def check_status(response: httpx.Response, where: str) -> None:
    """Raise what a status other than 2xx means.

    Args:
        response: Its headers are enough.
        where: The address as messages tell it.

    Raises:
        CatalogBusy: 429 or 5xx.
        CatalogRefused: Another 4xx.
        NotThere: 404.
        AnswerUnreadable: A redirect; none is followed.
    """
    status = response.status_code
    if response.is_success:
        return
    if status == HTTPStatus.NOT_FOUND:
        raise NotThere(f"{where} is not there (404).")
    if status == HTTPStatus.TOO_MANY_REQUESTS or response.is_server_error:
        wait = retry_after_seconds(response.headers.get("Retry-After"), datetime.now(UTC))
        raise CatalogBusy(f"{where} answered {status}; try again later.", wait, status)
    if response.is_client_error:
        raise CatalogRefused(
            f"{where} refused the request ({status}). Check the key, if it has one."
        )
    raise AnswerUnreadable(
        f"{where} answered {status} instead of JSON. Name the address that it leads to."
    )


def retry_after_seconds(value: str | None, now: datetime) -> float | None:
    """Read a `Retry-After` header: seconds, or a date (RFC 9110 section 10.2.3).

    Args:
        value: As it was sent; None if it was not.
        now: The time, with its zone.

    Returns:
        Seconds to wait, 0 to 3600; None if it cannot be read.
    """
    text = (value or "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text), MAX_WAIT_SECONDS)
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):  # a date, or a zone, of far too many digits
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return min(max((moment - now).total_seconds(), 0.0), MAX_WAIT_SECONDS)
