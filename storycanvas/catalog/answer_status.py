"""What the status of an answer means, in the catalog's words."""

from http import HTTPStatus

import httpx

from storycanvas.catalog.errors import AnswerUnreadable, CatalogBusy, CatalogRefused, NotThere
from storycanvas.net.retry import read_retry_after


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
        wait = read_retry_after(response.headers)
        raise CatalogBusy(f"{where} answered {status}; try again later.", wait, status)
    if response.is_client_error:
        raise CatalogRefused(
            f"{where} refused the request ({status}). Check the key, if it has one."
        )
    raise AnswerUnreadable(
        f"{where} answered {status} instead of JSON. Name the address that it leads to."
    )
