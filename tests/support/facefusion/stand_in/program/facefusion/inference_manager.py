"""The loading of weights. They do nothing here, but they can fail to load."""

import os
import sys
from time import sleep

from facefusion import logger, process_manager
from facefusion.download import weights_path

BROKEN = b"broken"
LOADED: set[str] = set()


def load(names: tuple[str, ...]) -> None:
    """Load weights that are not loaded yet.

    Waits while weights are being checked. Ends the process with 1, without clean-up, when they
    do not load, as FaceFusion 3.8.1 does.
    """
    while process_manager.is_checking():
        sleep(0.5)
    for name in names:
        if name not in LOADED:
            load_one(name)
            LOADED.add(name)


def load_one(name: str) -> None:
    """Load the weights of one name."""
    if weights_path(name).read_bytes() == BROKEN:
        logger.error(f"loading model {name} failed", __name__)
        sys.stderr.flush()
        os._exit(1)  # the real one ends so, too
    logger.debug(f"loading model {name} succeeded in 0.0 seconds", __name__)


def clear() -> None:
    """Drop all that is loaded."""
    LOADED.clear()
