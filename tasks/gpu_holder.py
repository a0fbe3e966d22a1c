"""Who holds a GPU host's slot, so that others can say what they wait for.

Prefect keeps no readable list of lease holders, so the holder leaves its name in a variable.
"""

import os
import re
import socket
from datetime import UTC, datetime

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import VariableCreate, VariableUpdate


def announce_holder(client: SyncPrefectClient, limit_name: str, run: str) -> None:
    """Leave a note about who took the slot.

    Args:
        client: A connection to Prefect's API.
        limit_name: The host's limit.
        run: Name of the run that took it.

    Raises:
        httpx.HTTPError: Prefect's server does not answer.
    """
    since = datetime.now(UTC).isoformat(timespec="seconds")
    note = {"run": run, "process": f"{os.getpid()} on {socket.gethostname()}", "since": since}
    name = _variable(limit_name)
    if client.read_variable_by_name(name) is None:
        client.create_variable(VariableCreate(name=name, value=note))
    else:
        client.update_variable(VariableUpdate(name=name, value=note))


def describe_holder(client: SyncPrefectClient, limit_name: str) -> str:
    """Say who took the slot last.

    Args:
        client: A connection to Prefect's API.
        limit_name: The host's limit.

    Raises:
        httpx.HTTPError: Prefect's server does not answer.
    """
    variable = client.read_variable_by_name(_variable(limit_name))
    note = variable.value if variable else None
    if not isinstance(note, dict):
        return "nobody has said that they hold it"
    return f"last taken by {note.get('run')} (process {note.get('process')}) at {note.get('since')}"


def _variable(limit_name: str) -> str:
    return "holder_" + re.sub(r"[^a-z0-9]+", "_", limit_name.lower())
