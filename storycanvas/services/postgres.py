"""PostgreSQL for the local Prefect server, its files in the state directory.

PostgreSQL does not run as root. Started by root it runs as the account of its package, which need
not be able to enter the state directory: it gets the directory of its files opened.
"""

import os
import pwd
import re
import secrets
import shutil
import subprocess
import time
from pathlib import Path

import psutil
import psycopg

from storycanvas.services import process
from storycanvas.services.errors import PostgresUnusable, ServiceDied
from storycanvas.services.local_service import LocalService, last_lines
from storycanvas.services.ports import LOOPBACK
from storycanvas.services.process import POLL_SECONDS, Program
from storycanvas.services.record import Record

USER, DATABASE = "prefect", "postgres"
OLDEST = 14
"""The oldest version that Prefect 3.9 runs on."""

_PLACES = ("usr/lib/postgresql/*/bin", "usr/pgsql-*/bin")
"""Where the packages of Debian and of postgresql.org put what they keep out of `PATH`."""

_ACCOUNT = "postgres"
_OPENED = "/proc/self/fd/3"
_OPEN = 'exec 3<"$1" && shift && exec "$@"'
_SETTINGS = {"listen_addresses": LOOPBACK, "unix_socket_directories": "", "jit": "off"}
_INIT_SECONDS = 120.0
_ORPHAN_SECONDS = 10.0


def find_programs(version: int | None = None) -> Path:
    """Find the folder of the programs of a version, or of the newest that is installed.

    Raises:
        PostgresUnusable: It is not installed.
    """
    found = _installed()
    if version is None and found:
        return found[max(found)]
    if version not in found:
        wanted = f"PostgreSQL {version or f'{OLDEST} or newer'}"
        raise PostgresUnusable(
            f"{wanted} is not installed on this machine (Debian: apt-get install postgresql)."
        )
    return found[version]


def _installed() -> dict[int, Path]:
    folders = [folder for place in _PLACES for folder in sorted(Path("/").glob(place))]
    on_path = shutil.which("postgres")
    if on_path:
        folders.append(Path(on_path).resolve().parent)
    complete = [folder for folder in folders if (folder / "initdb").exists()]
    versions = {_version(folder / "postgres"): folder for folder in complete}
    return {version: folder for version, folder in versions.items() if version >= OLDEST}


def _version(program: Path) -> int:
    """Ask a program for its version; 0 when it does not answer."""
    try:
        asked = subprocess.run(  # noqa: S603 - a program of a package
            [program, "--version"], capture_output=True, text=True, check=False
        )
    except OSError:
        return 0
    found = re.search(r"\(PostgreSQL\) (\d+)", asked.stdout)
    return int(found[1]) if found else 0


class Postgres(LocalService):
    """A PostgreSQL server on loopback, for those who can read its password in its directory.

    Args:
        state_dir: Its files lie below it.
    """

    name = "postgres"

    def __init__(self, state_dir: Path) -> None:
        self._cluster = state_dir.resolve() / self.name / "cluster"

    @property
    def has_files(self) -> bool:
        """Whether it has ever been set up."""
        return self._cluster.exists()

    def program(self, directory: Path, port: int) -> Program:
        """Build the program to start; set its files up before its first start."""
        programs = find_programs(self._files_version() if self.has_files else None)
        if not self.has_files:
            _set_up(self._cluster, programs, directory / "initdb.log")
        _clear_after_a_kill(self._cluster / "data")
        argv = [str(programs / "postgres"), "-D", "{cluster}/data", "-p", str(port)]
        for setting, value in _SETTINGS.items():
            argv += ["-c", f"{setting}={value}"]
        return _as_owner(self._cluster, argv)

    def url(self, port: int) -> str:
        """Build its address, without the password."""
        return f"postgresql://{USER}@{LOOPBACK}:{port}/{DATABASE}"

    def with_password(self, url: str) -> str:
        """Add the password to its address: nothing for a log, a note or an argument."""
        password = (self._cluster / "password").read_text().strip()
        return url.replace("@", f":{password}@", 1)

    def becomes_ready(self, record: Record) -> bool:
        """Make one try to connect, and check that it has what Prefect needs."""
        address = f"{self.with_password(record.url)}?sslmode=disable&connect_timeout=2"
        query = "SELECT 1 FROM pg_available_extensions WHERE name = 'pg_trgm'"
        try:
            with psycopg.connect(address, autocommit=True) as opened:
                complete = opened.execute(query).fetchone()
        except psycopg.OperationalError:
            return False
        if not complete:
            raise PostgresUnusable(
                "PostgreSQL lacks the extension pg_trgm, which Prefect needs; install its package "
                "of extensions (Fedora: dnf install postgresql-contrib)."
            )
        return True

    def _files_version(self) -> int:
        return int((self._cluster / "data/PG_VERSION").read_text().strip())


def _set_up(cluster: Path, programs: Path, log: Path) -> None:
    """Make the files of a server; those of a try that was interrupted are removed."""
    begun = cluster.with_name("cluster.begun")
    shutil.rmtree(begun, ignore_errors=True)
    begun.mkdir(mode=0o700)
    password = begun / "password"
    password.touch(mode=0o600)
    password.write_text(secrets.token_urlsafe(32))
    if os.geteuid() == 0:
        for path in (begun, password):
            os.chown(path, *_account())
    argv = [str(programs / "initdb"), "-D", "{cluster}/data", "-U", USER, "-E", "UTF8"]
    argv += ["--no-locale", "-A", "scram-sha-256", "--pwfile", "{cluster}/password"]
    code = process.run(_as_owner(begun, argv), log, seconds=_INIT_SECONDS)
    if code != 0:
        raise ServiceDied("initdb", code, last_lines(log), log)
    begun.rename(cluster)


def _account() -> tuple[int, int]:
    try:
        account = pwd.getpwnam(_ACCOUNT)
    except KeyError as error:
        raise PostgresUnusable(
            f"PostgreSQL does not run as root, and there is no account {_ACCOUNT} to run it as."
        ) from error
    return account.pw_uid, account.pw_gid


def _as_owner(cluster: Path, argv: list[str]) -> Program:
    """Build a program that runs as the owner of its files, whose place is `{cluster}` in `argv`.

    Only root can change to another account, which then uses what was opened before: it cannot
    enter the folders above.
    """
    environment = {"PATH": os.environ.get("PATH", os.defpath), "TZ": "UTC", "LC_ALL": "C"}
    if os.geteuid() != 0:
        argv = [word.replace("{cluster}", str(cluster)) for word in argv]
        return Program(tuple(argv), cluster, environment)
    owner = cluster.stat()
    ids = [f"--reuid={owner.st_uid}", f"--regid={owner.st_gid}", "--clear-groups"]
    command = ["setpriv", *ids, *[word.replace("{cluster}", _OPENED) for word in argv]]
    # PostgreSQL cannot return to a directory that it cannot enter, so it starts in one that it can.
    return Program(("/bin/sh", "-c", _OPEN, "sh", str(cluster), *command), Path("/"), environment)


def _clear_after_a_kill(data: Path) -> None:
    """Wait for the processes that a killed server left, and remove its note of its process.

    Its number may belong to another process by now, for which PostgreSQL would not start. Two
    servers never share the files: the caller holds the lock of the service.
    """
    deadline = time.monotonic() + _ORPHAN_SECONDS
    while _is_used(data):
        if time.monotonic() > deadline:
            return  # PostgreSQL itself refuses to start, and says why
        time.sleep(POLL_SECONDS)
    (data / "postmaster.pid").unlink(missing_ok=True)


def _is_used(data: Path) -> bool:
    """Check whether a process works in the directory, as each of a PostgreSQL server's does."""
    return any(found.info["cwd"] == str(data) for found in psutil.process_iter(["cwd"]))
