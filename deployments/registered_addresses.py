"""Whether the addresses that were registered as blocks are still the stack's own.

Kept as a hash: an address that the user named may hold a password.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

_FINGERPRINT = "registered_addresses"


def has_moved(state_dir: Path, environment: Mapping[str, str]) -> bool:
    """Tell whether something else was registered than the environment names now.

    Args:
        state_dir: Where the stack's files lie.
        environment: What the stack's processes are given.

    Returns:
        False when the same was registered, or nothing yet.
    """
    file = state_dir / _FINGERPRINT
    return file.exists() and file.read_text() != _fingerprint(environment)


def write_fingerprint(state_dir: Path, environment: Mapping[str, str]) -> None:
    """Note that the environment's addresses were registered.

    Args:
        state_dir: Where the stack's files lie.
        environment: What the stack's processes are given.
    """
    (state_dir / _FINGERPRINT).write_text(_fingerprint(environment))


def _fingerprint(environment: Mapping[str, str]) -> str:
    return hashlib.sha256(json.dumps(dict(environment), sort_keys=True).encode()).hexdigest()
