"""What the process is doing. A failed check of weights leaves `checking` behind, as it is."""

STATE = {"now": "pending"}


def get_process_state() -> str:
    """Return `pending`, `checking`, `processing` or `stopping`."""
    return STATE["now"]


def set_process_state(process_state: str) -> None:
    """Set what the process is doing."""
    STATE["now"] = process_state


def is_checking() -> bool:
    """Return whether weights are being checked, or a check of them failed."""
    return get_process_state() == "checking"


def is_processing() -> bool:
    """Return whether a picture is being worked on."""
    return get_process_state() == "processing"


def is_stopping() -> bool:
    """Return whether an interrupt has come."""
    return get_process_state() == "stopping"


def is_pending() -> bool:
    """Return whether nothing is going on."""
    return get_process_state() == "pending"


def check() -> None:
    """Begin to check weights."""
    set_process_state("checking")


def start() -> None:
    """Begin to work on a picture."""
    set_process_state("processing")


def stop() -> None:
    """Ask for an end."""
    set_process_state("stopping")


def end() -> None:
    """Be done."""
    set_process_state("pending")
