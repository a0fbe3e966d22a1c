"""What the stack keeps in files: which services `up` left running, and what was registered."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from storycanvas.services.shared import find_running

_STATE = "stack.json"
_FINGERPRINT = "registered_addresses"


@dataclass(frozen=True)
class StackState:
    """What `up` left running.

    Attributes:
        services: Names of the services.
        addresses: Where everything is, by what people call it; holds no secret.
    """

    services: tuple[str, ...]
    addresses: dict[str, str]

    def lines(self) -> list[str]:
        """The addresses as a table, one line each."""
        width = max(map(len, self.addresses))
        return [f"  {name:<{width}}  {address}" for name, address in self.addresses.items()]


def read_state(state_dir: Path) -> StackState | None:
    """Read what `up` left running.

    Returns:
        None when nothing was left running.
    """
    file = state_dir / _STATE
    if not file.exists():
        return None
    content = json.loads(file.read_text())
    return StackState(tuple(content["services"]), content["addresses"])


def write_state(state_dir: Path, state: StackState) -> None:
    """Note what is left running."""
    unfinished = state_dir / f"{_STATE}.new"
    unfinished.write_text(json.dumps(asdict(state), indent=2))
    unfinished.replace(state_dir / _STATE)


def erase_state(state_dir: Path) -> None:
    """Note that nothing is left running."""
    (state_dir / _STATE).unlink(missing_ok=True)


def stopped_services(state: StackState, state_dir: Path) -> list[str]:
    """List what should run and does not.

    Returns:
        Names of services; empty when all is well.
    """
    return [name for name in state.services if find_running(name, state_dir) is None]


def has_moved(state_dir: Path, environment: Mapping[str, str]) -> bool:
    """Tell whether something else was registered than the environment names now.

    Returns:
        False when the same was registered, or nothing yet.
    """
    file = state_dir / _FINGERPRINT
    return file.exists() and file.read_text() != _fingerprint(environment)


def write_fingerprint(state_dir: Path, environment: Mapping[str, str]) -> None:
    """Note that the environment's addresses were registered."""
    (state_dir / _FINGERPRINT).write_text(_fingerprint(environment))


def _fingerprint(environment: Mapping[str, str]) -> str:
    return hashlib.sha256(json.dumps(dict(environment), sort_keys=True).encode()).hexdigest()
