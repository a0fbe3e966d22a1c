"""A real PostgreSQL server for tests, from Debian's packages."""

import os
import pwd
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from psycopg.pq import PGconn, Ping

from storycanvas.services import process
from storycanvas.services.errors import ServiceDied, ServiceError, ServiceNotReady
from storycanvas.services.local_service import last_lines
from storycanvas.services.ports import LOOPBACK, choose_port
from storycanvas.services.process import POLL_SECONDS, Identity, Program

USER = "couple"
DATABASE = "postgres"
READY_SECONDS = 60.0

_DEBIANS_PLACE = Path("/usr/lib/postgresql")
_UNPRIVILEGED = "postgres"
_SETTINGS: Mapping[str, str] = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "fsync": "off",
    "shared_buffers": "16MB",
    "max_connections": "20",
}


class PostgresMissing(ServiceError):
    """There is no PostgreSQL server on this machine."""


@contextmanager
def running_postgres(password: str) -> Iterator[str]:
    """Run an empty server on a free loopback port, and leave nothing of it.

    Args:
        password: What the user has to give; it is in no argument and in no file that stays.

    Yields:
        The address of its database, without the password.

    Raises:
        PostgresMissing: This machine has none.
        ServiceDied: It cannot be set up or started.
        ServiceNotReady: It did not answer in time.
    """
    programs = find_programs()
    # Another user has to reach its files, so they cannot lie in a private folder of this one.
    with tempfile.TemporaryDirectory(prefix="storycanvas-postgres-") as made:
        directory = Path(made)
        _set_up(programs, directory, password)
        port = choose_port(())
        server = _server(programs, directory, port)
        log = directory / "postgres.log"
        identity = process.start(server, log)
        try:
            _wait_until_ready(identity, port, log)
            yield f"postgresql://{USER}@{LOOPBACK}:{port}/{DATABASE}"
        finally:
            process.stop(identity)


def find_programs() -> Path:
    """Find the newest server that Debian's packages have installed.

    Returns:
        The folder of its programs.

    Raises:
        PostgresMissing: There is none.
    """
    found = [path.parent for path in _DEBIANS_PLACE.glob("*/bin/initdb")]
    if not found:
        raise PostgresMissing(
            "There is no PostgreSQL server; install it (Debian: apt-get install postgresql)."
        )
    return max(found, key=_version)


def _version(programs: Path) -> tuple[int, ...]:
    return tuple(int(part) for part in programs.parent.name.split(".") if part.isdecimal())


def _set_up(programs: Path, directory: Path, password: str) -> None:
    secret = directory / "password"
    secret.write_text(f"{password}\n")
    secret.chmod(0o600)
    if os.geteuid() == 0:
        account = pwd.getpwnam(_UNPRIVILEGED)
        for path in (directory, secret):
            os.chown(path, account.pw_uid, account.pw_gid)
    argv = [str(programs / "initdb"), "-D", str(directory / "data"), "-U", USER, "--no-sync"]
    argv += ["-A", "scram-sha-256", "--pwfile", str(secret), "-E", "UTF8", "--locale", "C.UTF-8"]
    log = directory / "initdb.log"
    code = process.run(_unprivileged(argv, directory), log, seconds=READY_SECONDS)
    secret.unlink()
    if code != 0:
        raise ServiceDied("initdb", code, last_lines(log), log)


def _server(programs: Path, directory: Path, port: int) -> Program:
    argv = [str(programs / "postgres"), "-D", str(directory / "data"), "-p", str(port)]
    for name, value in _SETTINGS.items():
        argv += ["-c", f"{name}={value}"]
    return _unprivileged(argv, directory)


def _unprivileged(argv: list[str], directory: Path) -> Program:
    """Run it as another user when this one is root, whom PostgreSQL does not serve."""
    if os.geteuid() == 0:
        ids = [f"--reuid={_UNPRIVILEGED}", f"--regid={_UNPRIVILEGED}", "--init-groups"]
        argv = [shutil.which("setpriv") or "setpriv", *ids, *argv]
    environment = {"PATH": os.defpath, "TZ": "UTC", "LC_ALL": "C.UTF-8"}
    return Program(tuple(argv), directory, environment)


def _wait_until_ready(identity: Identity, port: int, log: Path) -> None:
    deadline = time.monotonic() + READY_SECONDS
    address = f"host={LOOPBACK} port={port}".encode()
    while PGconn.ping(address) != Ping.OK:
        if not process.is_running(identity):
            code = process.exit_code(identity)
            raise ServiceDied("postgres", code, last_lines(log), log)
        if time.monotonic() > deadline:
            raise ServiceNotReady(f"postgres did not answer within {READY_SECONDS:.0f} s.")
        time.sleep(POLL_SECONDS)
