"""The loading of weights. They do nothing here, but they can fail to load."""

import os
import sys
from time import sleep

import onnxruntime

from facefusion import logger, process_manager, state_manager
from facefusion.download import weights_path
from facefusion.execution import NAMES
from facefusion.places import HOME

BROKEN = b"broken"
HANGS = b"hangs"
LOADS = HOME / "loads.log"
LOADED: set[str] = set()
INFERENCE_POOL_SET: dict[str, dict[str, dict[str, onnxruntime.InferenceSession]]] = {"cli": {}}
"""Sessions by the program's form, by module and models, by name: as in FaceFusion 3.5 to 3.8."""


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
    content = weights_path(name).read_bytes()
    with LOADS.open("a") as log:
        log.write(f"{os.getpid()} {name}\n")
    while content == HANGS and not (HOME / "open").exists():
        sleep(0.05)
    if content == BROKEN:
        logger.error(f"loading model {name} failed", __name__)
        sys.stderr.flush()
        os._exit(1)  # the real one ends so, too
    asked = [NAMES[provider] for provider in state_manager.get_item("execution_providers")]
    session = onnxruntime.InferenceSession(weights_path(name), asked)
    INFERENCE_POOL_SET["cli"][name] = {name: session}
    logger.debug(f"loading model {name} succeeded in 0.0 seconds", __name__)


def clear() -> None:
    """Drop all that is loaded."""
    LOADED.clear()
    INFERENCE_POOL_SET["cli"].clear()
