"""What guard and pool share of Prefect: the log of the run, and calls by the guard's own clock.

Such a call is asked again within milliseconds, or fails. A Prefect server on SQLite answers 503
when two write at the same moment, and Prefect's client then waits for two seconds and more, in
which a GPU would lie idle.
"""

import logging
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
from prefect.context import SettingsContext, get_settings_context
from prefect.exceptions import MissingContextError
from prefect.logging import get_run_logger

_TRIES = 25
_PAUSE_SECONDS = 0.02


def run_log(module: str) -> logging.Logger | logging.LoggerAdapter[logging.Logger]:
    """Get the log of the task or flow, which the Prefect UI shows, else that of a module."""
    try:
        return get_run_logger()
    except MissingContextError:
        return logging.getLogger(module)


@contextmanager
def no_client_retries() -> Iterator[None]:
    """Let calls to a server that does not answer fail at once, in this thread.

    The settings are copied: Prefect's `temporary_settings` reads the environment and all profiles
    again, 50 ms of one core for each thread of each run.
    """
    context = get_settings_context()
    client = context.settings.client.model_copy(update={"max_retries": 0})
    settings = context.settings.model_copy(update={"client": client})
    with SettingsContext(profile=context.profile, settings=settings):
        yield


class FastRetryTransport(httpx.HTTPTransport):
    """Sends a request again, as soon as the server may have ended what it was busy with."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request; the answer is the first that is not 503, else the 25th."""
        request.read()
        response = super().handle_request(request)
        for _ in range(_TRIES):
            if response.status_code != httpx.codes.SERVICE_UNAVAILABLE:
                break
            response.close()
            time.sleep(random.uniform(0.5, 1.5) * _PAUSE_SECONDS)  # noqa: S311 - no secret
            response = super().handle_request(request)
        return response
