"""Start a program apart from the terminal, know it again, and end it with all its children."""

import os
import subprocess
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from storycanvas.services.errors import ProgramNotStarted

CODE = Path(__file__).resolve().parents[2]
"""Directory of this code, in which the project's own programs start."""

POLL_SECONDS = 0.05
CREATE_TIME_TOLERANCE = 1.0
"""The system computes create times from its boot time, which moves a little with its clock."""


class _Child(subprocess.Popen[bytes]):
    """A program that may outlive this process on purpose, or be ended by another one."""

    def __del__(self) -> None:
        """Leave out Popen's warning that the program still runs."""


_children: dict[int, _Child] = {}
"""Programs started by this process: only their parent can read their exit code and reap them."""


@dataclass(frozen=True)
class Program:
    """What to start.

    Attributes:
        argv: The program and its arguments. Never a secret: any user of the machine can read them.
        directory: Where it works.
        environment: Its whole environment.
    """

    argv: tuple[str, ...]
    directory: Path
    environment: Mapping[str, str]


@dataclass(frozen=True)
class Identity:
    """A process that is known again: its number alone may have been given to another one.

    Attributes:
        pid: Number of the process.
        create_time: When it was created, in seconds of the epoch.
    """

    pid: int
    create_time: float


def start(program: Program, log: Path) -> Identity:
    """Start a program in a session of its own, so that Ctrl-C in the terminal does not reach it.

    Args:
        program: What to start.
        log: Where its output goes. The log of the start before is kept beside it, as `.1`.

    Raises:
        ProgramNotStarted: The system refused.
    """
    _reap_ended()
    if log.exists():
        log.replace(log.with_name(f"{log.name}.1"))
    try:
        child = _spawn(program, log)
    except OSError as error:
        raise ProgramNotStarted(f"{program.argv[0]} cannot be started: {error.strerror}") from error
    _children[child.pid] = child
    return Identity(child.pid, psutil.Process(child.pid).create_time())


def is_running(identity: Identity) -> bool:
    """Check whether the very same process still runs, not another one that has its number now."""
    process = _find(identity)
    return process is not None and _is_alive(process)


def listens(identity: Identity, port: int) -> bool:
    """Check whether a process or a child of it listens on a port."""
    process = _find(identity)
    return process is not None and any(
        connection.status == psutil.CONN_LISTEN and connection.laddr.port == port
        for member in [process, *_family(process)]
        for connection in _connections(member)
    )


def stop(identity: Identity, *, grace: float = 15.0) -> bool:
    """End a process and its children: ask, wait, then force.

    Args:
        identity: Who it is. A process with this number and another create time is left alone.
        grace: Seconds that it gets to end by itself.

    Returns:
        Whether there was such a process.
    """
    process = _find(identity)
    if process is None:
        return False
    family = _family(process)
    _end([process], grace)
    _end(family, 2.0)
    exit_code(identity)
    return True


def run(program: Program, log: Path, *, seconds: float) -> int | None:
    """Run a program to its end; with it end its children, also when this process is interrupted.

    Returns:
        What it returned; None when its seconds were over.
    """
    identity = start(program, log)
    try:
        deadline = time.monotonic() + seconds
        while is_running(identity) and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
        timed_out = is_running(identity)
    finally:
        stop(identity)
    return None if timed_out else exit_code(identity)


def exit_code(identity: Identity) -> int | None:
    """Read what an ended child of this process returned.

    Returns:
        The code, negative for a signal; None when it runs or is not a child of this process.
    """
    child = _children.get(identity.pid)
    return None if child is None else child.poll()


def _spawn(program: Program, log: Path) -> _Child:
    with log.open("wb") as output:
        return _Child(  # the callers are the services of this package
            program.argv,
            cwd=program.directory,
            env=dict(program.environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def _find(identity: Identity) -> psutil.Process | None:
    try:
        process = psutil.Process(identity.pid)
        difference = abs(process.create_time() - identity.create_time)
    except psutil.NoSuchProcess:
        return None
    return process if difference < CREATE_TIME_TOLERANCE else None


def _family(process: psutil.Process) -> list[psutil.Process]:
    """List the descendants, also those whose parent died: they are still in its session."""
    found = {child.pid: child for child in _children_of(process)}
    for other in psutil.process_iter():
        if other.pid != process.pid and _session(other.pid) == process.pid:
            found.setdefault(other.pid, other)
    return list(found.values())


def _children_of(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def _session(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except OSError:
        return None


def _end(processes: Iterable[psutil.Process], grace: float) -> None:
    living = [process for process in processes if _is_alive(process)]
    for force, seconds in ((False, grace), (True, 5.0)):
        for process in living:
            _signal(process, force=force)
        living = _wait_for_end(living, seconds)


def _signal(process: psutil.Process, *, force: bool) -> None:
    try:
        if force:
            process.kill()
        else:
            process.terminate()
    except psutil.NoSuchProcess:
        return


def _wait_for_end(processes: list[psutil.Process], seconds: float) -> list[psutil.Process]:
    deadline = time.monotonic() + seconds
    living = processes
    while living and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
        living = [process for process in living if _is_alive(process)]
    return living


def _is_alive(process: psutil.Process) -> bool:
    try:
        ended = not process.is_running() or (
            # While the first thread is gone and others go on, its files are still in use.
            process.status() == psutil.STATUS_ZOMBIE and process.num_threads() <= 1
        )
    except psutil.NoSuchProcess:
        return False
    return not ended


def _reap_ended() -> None:
    for pid, child in list(_children.items()):
        if child.poll() is not None:
            del _children[pid]


def _connections(process: psutil.Process) -> list[Any]:
    try:
        return list(process.net_connections(kind="tcp"))
    except psutil.NoSuchProcess:
        return []
