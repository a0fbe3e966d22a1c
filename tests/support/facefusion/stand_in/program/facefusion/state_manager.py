"""What the command line set. One state per process, as in the real program."""

from typing import Any

STATE: dict[str, Any] = {}


def get_state() -> dict[str, Any]:
    """Return the whole state."""
    return STATE


def init_item(key: str, value: Any) -> None:  # noqa: ANN401 - as the real one
    """Set an item while starting."""
    STATE[key] = value


def set_item(key: str, value: Any) -> None:  # noqa: ANN401 - as the real one
    """Set an item while working."""
    STATE[key] = value


def get_item(key: str) -> Any:  # noqa: ANN401 - as the real one
    """Return an item; None when it was not set."""
    return STATE.get(key)


def clear_item(key: str) -> None:
    """Forget the value of an item."""
    set_item(key, None)
