"""Ends of the process."""

import sys
from typing import NoReturn

from facefusion import process_manager, workflow


def hard_exit(error_code: int) -> NoReturn:
    """Exit with a code."""
    sys.exit(error_code)


def signal_exit(_signum: int, _frame: object) -> None:
    """Exit with 0 after an interrupt, without an output, as FaceFusion 3.8.1 does."""
    process_manager.end()
    workflow.clear()
    hard_exit(0)
