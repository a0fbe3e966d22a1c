"""The operation key: two operations with the same key have the same meaning and the same result."""

import hashlib
import json
from collections.abc import Sequence

from storycanvas.faces.operations import FaceOperation

KEY_VERSION = 1
"""Raised when the meaning of a key's parts changes; old entries are then no longer reused."""


def operation_key(
    operation: FaceOperation, input_hashes: Sequence[str], engine: str, engine_version: str
) -> str:
    """Compute the key under which the ledger records an operation.

    Args:
        operation: The operation with its normalised parameters.
        input_hashes: Pixel hash of each input picture, in the order of the step's inputs.
        engine: `facefusion` or `preview`.
        engine_version: The engine's version as the host states it.

    Returns:
        A SHA-256, 64 lower-case hex digits.
    """
    meaning = {
        "key_version": KEY_VERSION,
        "operation": operation.model_dump(mode="json"),
        "inputs": list(input_hashes),
        "engine": engine,
        "engine_version": engine_version,
    }
    text = json.dumps(meaning, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
