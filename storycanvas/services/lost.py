"""Services that run although their files, and the note on where they run, were deleted.

Each names its directory in its environment. One that is left alone keeps its port, and may write
among the files of the service that is started in its place.
"""

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import psutil

from storycanvas.services.process import Identity, stop
from storycanvas.services.record import read_record
from storycanvas.services.shared import SERVICE_OF, changing, make_private


def lost_services(names: Iterable[str], state_dir: Path) -> list[str]:
    """List the services of a state directory that run without a note of them."""
    return [name for name in names if _unnoted(state_dir.resolve() / name)]


def end_lost(names: Iterable[str], state_dir: Path) -> list[str]:
    """End the services that run without a note of them, in the order given, and list them."""
    lost = lost_services(names, state_dir)
    for name in lost:
        directory = make_private(state_dir.resolve() / name)
        with changing(directory):  # one that is just being started has no note yet
            for identity in _unnoted(directory):
                stop(identity)
    return lost


def _unnoted(directory: Path) -> list[Identity]:
    record = read_record(directory)
    running = _running(directory)
    return [found for found in running if record is None or found.pid != record.pid]


def _running(directory: Path) -> list[Identity]:
    named = {found.pid: found for found in psutil.process_iter() if _names(found, directory)}
    services = []
    for process in named.values():
        with suppress(psutil.NoSuchProcess, ProcessLookupError):  # it ended meanwhile
            # What a service starts has its environment, too, but is no service.
            if process.ppid() not in named and os.getsid(process.pid) == process.pid:
                services.append(Identity(process.pid, process.create_time()))
    return services


def _names(process: psutil.Process, directory: Path) -> bool:
    try:
        environment = process.environ()
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return False  # it ended meanwhile, or belongs to another user
    # A run whose worker was killed has the worker's environment, and ends by itself.
    is_run = "PREFECT__FLOW_RUN_ID" in environment
    return environment.get(SERVICE_OF) == str(directory) and not is_run
