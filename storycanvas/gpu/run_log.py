"""The log of the run that code runs for, or the module's own outside of runs."""

import logging

from prefect.exceptions import MissingContextError
from prefect.logging import get_run_logger


def run_log(module: str) -> logging.Logger | logging.LoggerAdapter[logging.Logger]:
    """Get the log of the task or flow, which the Prefect UI shows, else that of a module."""
    try:
        return get_run_logger()
    except MissingContextError:
        return logging.getLogger(module)
