"""`stack.json`: which services `up` left running, and where people find them."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from storycanvas.services.shared import find_running

_NOTE = "stack.json"


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


def read_note(state_dir: Path) -> StackState | None:
    """Read what `up` left running.

    Args:
        state_dir: Where the stack's files lie.

    Returns:
        The note; None when nothing was left running.
    """
    note = state_dir / _NOTE
    if not note.exists():
        return None
    content = json.loads(note.read_text())
    return StackState(tuple(content["services"]), content["addresses"])


def write_note(state_dir: Path, note: StackState) -> None:
    """Note what is left running.

    Args:
        state_dir: Where the stack's files lie.
        note: What to write.
    """
    unfinished = state_dir / f"{_NOTE}.new"
    unfinished.write_text(json.dumps(asdict(note), indent=2))
    unfinished.replace(state_dir / _NOTE)


def erase_note(state_dir: Path) -> None:
    """Note that nothing is left running.

    Args:
        state_dir: Where the stack's files lie.
    """
    (state_dir / _NOTE).unlink(missing_ok=True)


def stopped_services(note: StackState, state_dir: Path) -> list[str]:
    """List what should run and does not.

    Args:
        note: What `up` left running.
        state_dir: Where the stack's files lie.

    Returns:
        Names of services; empty when all is well.
    """
    return [name for name in note.services if find_running(name, state_dir) is None]
