"""One running instance of a service per state directory, shared by every process that needs it.

Each user holds a shared lock on `users.lock`. Starting and leaving happen under an exclusive lock
on `change.lock`, one at a time. A user that leaves and then gets `users.lock` alone was the last,
and ends the service, unless it is kept. The system frees the lock of a user that was killed.
"""

import fcntl
import os
import time
from contextlib import AbstractContextManager, ExitStack, suppress
from dataclasses import replace
from enum import Enum
from pathlib import Path
from typing import IO, Self

from storycanvas.net.atomic_files import exclusive_lock
from storycanvas.services import process
from storycanvas.services.errors import ServiceDied, ServiceInUse, ServiceNotReady
from storycanvas.services.local_service import LocalService, last_lines, log_of
from storycanvas.services.ports import choose_port, is_free
from storycanvas.services.record import Record, erase_record, last_port, read_record, write_record

POLL_SECONDS = 0.05
SERVICE_OF = "STORYCANVAS_SERVICE_OF"
"""Variable in the environment of each service, which names the service's directory."""

OTHER_PORTS = 2


class Outcome(Enum):
    """What became of a service that is kept no longer."""

    NOT_RUNNING = "did not run"
    ENDED = "ended"
    STILL_USED = "still used by another run, which ends it"


class Lease:
    """The right to use a running service until it is released.

    Attributes:
        record: Where the service runs.
    """

    def __init__(self, directory: Path, users: IO[str], record: Record) -> None:
        self._directory = directory
        self._users = users
        self._owner = os.getpid()
        self.record = record

    @property
    def url(self) -> str:
        """What a client connects to."""
        return self.record.url

    def keep(self) -> None:
        """Let the service run on without users, until `stop_kept`."""
        with changing(self._directory):
            # It may have been restarted by another user since.
            self.record = replace(read_record(self._directory) or self.record, kept=True)
            write_record(self._directory, self.record)

    def release(self) -> None:
        """Leave the service; the last to leave ends it. Safe to call again."""
        if self._users.closed:
            return
        if os.getpid() != self._owner:
            # A forked child holds the very same lock, and its parent still uses the service.
            self._users.close()
            return
        with changing(self._directory), self._users:
            record = read_record(self._directory)
            if record and not record.kept and _is_only_user(self._users):
                _end(self._directory, record)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def acquire(service: LocalService, state_dir: Path, *, ready_within: float = 90.0) -> Lease:
    """Use the service that runs for this state directory; start it when none does.

    Args:
        service: What is needed.
        state_dir: Whose service; each state directory has its own.
        ready_within: Seconds that the service gets to answer.

    Returns:
        A lease with the service's `url`; release it, or use it as a context.

    Raises:
        ServiceError: It cannot be started, dies or does not answer in time; nothing is left
            running. Or it runs with other settings and others use it.
    """
    directory = make_private(state_dir.resolve() / service.name)
    with changing(directory), ExitStack() as undo:
        users = undo.enter_context(_open_users(directory))
        record = _join(service, directory, users, ready_within)
        record = record or _start(service, directory, ready_within)
        fcntl.flock(users, fcntl.LOCK_SH)
        undo.pop_all()
    return Lease(directory, users, record)


def find_running(name: str, state_dir: Path) -> Record | None:
    """Find where a service of a state directory runs, without using it; None when it does not."""
    record = read_record(state_dir.resolve() / name)
    return record if record and process.is_running(record.identity) else None


def stop_kept(name: str, state_dir: Path) -> Outcome:
    """Keep a service no longer: end it now, or leave that to those who use it."""
    directory = state_dir.resolve() / name
    if not directory.is_dir():
        return Outcome.NOT_RUNNING
    with changing(directory), _open_users(directory) as users:
        record = read_record(directory)
        if record is None:
            return Outcome.NOT_RUNNING
        if process.is_running(record.identity) and not _is_only_user(users):
            write_record(directory, replace(record, kept=False))
            return Outcome.STILL_USED
        return Outcome.ENDED if _end(directory, record) else Outcome.NOT_RUNNING


def make_private(directory: Path) -> Path:
    """Make the directory of a service, which other users of the machine cannot read."""
    directory.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    directory.mkdir(mode=0o700, exist_ok=True)
    return directory


def changing(directory: Path) -> AbstractContextManager[None]:
    """Keep other processes from starting or ending the service as long as the context is open."""
    return exclusive_lock(directory / "change.lock")


def _open_users(directory: Path) -> IO[str]:
    # The kernel's own lock: filelock has no shared one that a holder turns into an exclusive one.
    # Closed before `change.lock` is given back: else the next to leave would still see this user.
    return (directory / "users.lock").open("a")


def _is_only_user(users: IO[str]) -> bool:
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _join(
    service: LocalService, directory: Path, users: IO[str], ready_within: float
) -> Record | None:
    record = read_record(directory)
    if record is None or not process.is_running(record.identity):
        return None
    if record.url == service.url(record.port):
        with suppress(ServiceDied):  # it was ending just now, so it is started again
            _wait_until_ready(service, record, log_of(directory), ready_within)
            return record
        return None
    if record.kept or not _is_only_user(users):
        raise ServiceInUse(
            f"{service.name} runs at {record.url} for others, with other settings than asked for. "
            f"End them, or use another state directory than {directory.parent}."
        )
    _end(directory, record)
    return None


def _start(service: LocalService, directory: Path, ready_within: float) -> Record:
    """Start it, on another port if another process takes the chosen port at the same moment."""
    # The usual port first: a port taken for once must not move the service for good. But one that
    # died is known to runs in progress where it was; what is ended in order leaves no record.
    died = read_record(directory)
    there = died.port if died else None
    preferred: tuple[int | None, ...] = (there, service.preferred_port, last_port(directory))
    for _ in range(OTHER_PORTS):
        port = choose_port(preferred)
        try:
            return _start_on(port, service, directory, ready_within)
        except ServiceDied:
            if not service.listens or is_free(port):
                raise
            preferred = ()
    return _start_on(choose_port(()), service, directory, ready_within)


def _start_on(port: int, service: LocalService, directory: Path, ready_within: float) -> Record:
    log = log_of(directory)
    program = service.program(directory, port)
    environment = {**program.environment, SERVICE_OF: str(directory)}
    identity = process.start(replace(program, environment=environment), log)
    try:
        record = Record(identity.pid, identity.create_time, port, service.url(port))
        write_record(directory, record)
        _wait_until_ready(service, record, log, ready_within)
    except BaseException:
        process.stop(identity)
        erase_record(directory)
        raise
    return record


def _wait_until_ready(service: LocalService, record: Record, log: Path, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not (_has_its_port(service, record) and service.becomes_ready(record)):
        if not process.is_running(record.identity):
            # Reaping frees its number, so children that outlived it are looked for before.
            process.stop(record.identity)
            code = process.exit_code(record.identity)
            raise service.explain(ServiceDied(service.name, code, last_lines(log), log))
        if time.monotonic() > deadline:
            raise ServiceNotReady(
                f"{service.name} did not answer on {record.url} within {seconds:.0f} s. Log: {log}"
            )
        time.sleep(POLL_SECONDS)


def _has_its_port(service: LocalService, record: Record) -> bool:
    """Make sure that it is this program that answers, not another that took the port first."""
    if not service.listens:
        return True
    # The sockets of all its children take long to list: 20 times a second, a third of a core.
    return not is_free(record.port) and process.listens(record.identity, record.port)


def _end(directory: Path, record: Record) -> bool:
    ended = process.stop(record.identity)
    erase_record(directory)
    return ended
