"""The check of weights against their hashes. Nothing is ever downloaded."""

import zlib
from pathlib import Path

from facefusion import logger, process_manager
from facefusion.places import MODELS


def check_weights(names: tuple[str, ...]) -> bool:
    """Check files by their names without extension: first the hashes, then the weights.

    Weights that differ from their hash are deleted. A failed check leaves the process state
    `checking`, as FaceFusion 3.8.1 does.
    """
    process_manager.check()
    if not check("hash", names, [name for name in names if not hash_path(name).is_file()]):
        return False
    invalid = [name for name in names if not is_whole(name)]
    if not check("source", names, invalid):
        delete(invalid)
        return False
    process_manager.end()
    return True


def check(kind: str, names: tuple[str, ...], invalid: list[str]) -> bool:
    """Log which files are valid; tell whether all are."""
    for name in (name for name in names if name not in invalid):
        logger.debug(f"validating {kind} for {name} succeeded", __name__)
    for name in invalid:
        logger.error(f"validating {kind} for {name} failed", __name__)
    return not invalid


def delete(names: list[str]) -> None:
    """Delete what differs from its hash, as FaceFusion 3.8.1 does."""
    for name in names:
        if weights_path(name).is_file():
            weights_path(name).unlink()
            logger.error(f"deleting corrupt source for {name}", __name__)


def is_whole(name: str) -> bool:
    """Return whether the weights are there and have the CRC32 that their hash file says."""
    path = weights_path(name)
    crc = format(zlib.crc32(path.read_bytes()), "08x") if path.is_file() else None
    return crc == hash_path(name).read_text()


def weights_path(name: str) -> Path:
    """Return where weights lie."""
    return MODELS / f"{name}.onnx"


def hash_path(name: str) -> Path:
    """Return where the CRC32 of weights lies."""
    return MODELS / f"{name}.hash"
