"""Who holds a GPU host's slot, so that others can say what they wait for.

Prefect keeps no readable list of lease holders, so the holder leaves its name in a variable.
"""

import os
import re
import socket
from datetime import UTC, datetime

from prefect.variables import Variable


def announce_holder(limit_name: str, run: str) -> None:
    """Leave a note about who took the slot.

    Args:
        limit_name: The host's limit.
        run: Name of the run that took it.
    """
    since = datetime.now(UTC).isoformat(timespec="seconds")
    note = {"run": run, "process": f"{os.getpid()} on {socket.gethostname()}", "since": since}
    Variable.set(_variable(limit_name), note, overwrite=True)


def describe_holder(limit_name: str) -> str:
    """Say who took the slot last."""
    note = Variable.get(_variable(limit_name))
    if not isinstance(note, dict):
        return "nobody has said that they hold it"
    return f"last taken by {note.get('run')} (process {note.get('process')}) at {note.get('since')}"


def _variable(limit_name: str) -> str:
    return "holder_" + re.sub(r"[^a-z0-9]+", "_", limit_name.lower())
