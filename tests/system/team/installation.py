"""The topology of deployments/team without containers: what its files say, started on loopback.

PostgreSQL and nginx are Debian's, Redis too; who lacks one of them cannot start it.
"""

import os
import secrets
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import redis

from storycanvas.services.errors import PostgresUnusable
from storycanvas.services.local_service import LocalService
from storycanvas.services.ports import LOOPBACK, ask
from storycanvas.services.postgres import find_programs
from storycanvas.services.prefect import PrefectWorker, prefect_environment
from storycanvas.services.process import CODE, Program, run
from storycanvas.services.record import Record
from storycanvas.services.shared import Lease, acquire
from tests.support.paths import ROOT
from tests.support.postgres import short_lived_postgres

FILES = ROOT / "deployments" / "team"
SERVERS = 2
WORKERS = 2
POOL = "storycanvas"
START_SECONDS = 120.0
REDIS_SETTINGS = (
    "appendonly yes",
    "appendfsync always",
    "maxmemory-policy noeviction",
    'save ""',
)


def read_env(file: Path) -> dict[str, str]:
    """Read a file of `NAME=value` lines as systemd and compose do."""
    lines = [line for line in file.read_text().splitlines() if line and line[0] != "#"]
    return dict(line.split("=", 1) for line in lines)


def missing_programs() -> list[str]:
    """List the Debian packages that this machine lacks for the topology."""
    missing = [
        package
        for program, package in (("redis-server", "redis-server"), ("nginx", "nginx-light"))
        if shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin") is None
    ]
    try:
        find_programs()
    except PostgresUnusable:
        missing.append("postgresql")
    return missing


class Redis(LocalService):
    """Debian's Redis with a password; each write is on disk before it is answered."""

    name = "redis"

    def __init__(self) -> None:
        self._password = secrets.token_urlsafe()

    def program(self, directory: Path, port: int) -> Program:
        settings = (
            f"bind {LOOPBACK}",
            f"port {port}",
            f"dir {directory}",
            f"requirepass {self._password}",
            *REDIS_SETTINGS,
        )
        file = directory / "redis.conf"
        file.write_text("\n".join(settings))
        return Program(("redis-server", str(file)), directory, dict(os.environ))

    def url(self, port: int) -> str:
        return f"redis://:{self._password}@{LOOPBACK}:{port}"

    def becomes_ready(self, record: Record) -> bool:
        try:
            with redis.Redis.from_url(record.url) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False


class ApiServer(LocalService):
    """One of the Prefect servers that share their work; it has no background services."""

    def __init__(self, number: int, settings: dict[str, str]) -> None:
        self.name = f"prefect_{number}"  # type: ignore[misc] - there are two of them
        self._settings = settings

    def program(self, directory: Path, port: int) -> Program:
        argv = [sys.executable, "-m", "prefect", "server", "start", "--no-services"]
        argv += ["--host", LOOPBACK, "--port", str(port)]
        environment = prefect_environment(directory, self._settings)
        return Program(tuple(argv), directory, environment)

    def url(self, port: int) -> str:
        return f"http://{LOOPBACK}:{port}/api"

    def becomes_ready(self, record: Record) -> bool:
        return ask(f"{record.url}/ready") is not None


class BackgroundServices(LocalService):
    """Scheduler, automations and what else the servers of one installation have once."""

    name = "prefect_services"
    listens = False

    def __init__(self, settings: dict[str, str]) -> None:
        self._settings = settings

    def program(self, directory: Path, port: int) -> Program:
        del port
        argv = (sys.executable, "-m", "prefect", "server", "services", "start")
        return Program(argv, directory, prefect_environment(directory, self._settings))

    def url(self, port: int) -> str:
        del port
        return "none"

    def becomes_ready(self, record: Record) -> bool:
        """They answer no request; what they do is seen at a server."""
        return psutil.pid_exists(record.pid)


class Proxy(LocalService):
    """Debian's nginx with the project's own file.

    Args:
        servers: Ports of the Prefect servers.
        more: Other parts of its configuration, such as a server that asks for a login.
    """

    name = "nginx"

    def __init__(self, servers: Sequence[int], more: str = "") -> None:
        self._servers = servers
        self._more = more

    def program(self, directory: Path, port: int) -> Program:
        shared = (FILES / "nginx.conf").read_text().replace("listen 4200", f"listen {port}")
        for number, server in enumerate(self._servers, 1):
            shared = shared.replace(f"prefect-{number}:4200", f"{LOOPBACK}:{server}")
        shared += self._more.replace("127.0.0.1:4200", f"{LOOPBACK}:{port}")
        kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        own = [f"{kind}_temp_path {directory}/{kind};" for kind in kinds]
        user = ["user root;"] if os.geteuid() == 0 else []
        parts = [
            *user,
            "daemon off; worker_processes 1;",
            f"pid {directory}/nginx.pid;",
            "events {}",
            "http {",
            f"access_log {directory}/access.log;",
            *own,
            shared,
            "}",
        ]
        file = directory / "nginx.conf"
        file.write_text("\n".join(parts))
        argv = ("nginx", "-c", str(file), "-e", "stderr")
        path = {"PATH": f"{os.environ['PATH']}:/usr/sbin"}
        return Program(argv, directory, path)

    def url(self, port: int) -> str:
        return f"http://{LOOPBACK}:{port}/api"

    def becomes_ready(self, record: Record) -> bool:
        return ask(f"{record.url}/health") is True


@dataclass
class Team:
    """A running installation.

    Attributes:
        folder: Where its files lie.
        url: The one address of its API, the proxy's.
        settings: Of servers and background services.
        servers: The two Prefect servers, as they run now.
    """

    folder: Path
    url: str
    settings: dict[str, str]
    servers: list[Lease]
    _undo: ExitStack

    def environment(self) -> dict[str, str]:
        """Build the environment of a client."""
        return prefect_environment(self.folder / "client", {"PREFECT_API_URL": self.url})

    def run(self, words: Sequence[str]) -> str:
        """Run a module of this project as a client, and give what it printed."""
        log = self.folder / "command.log"
        program = Program((sys.executable, "-m", *words), CODE, self.environment())
        code = run(program, log, seconds=START_SECONDS)
        assert code == 0, log.read_text()
        return log.read_text()

    def kill(self, number: int) -> None:
        """Kill a server, counted from 1, as a machine that fails does."""
        process = psutil.Process(self.servers[number - 1].record.pid)
        process.kill()
        process.wait()

    def restart(self, number: int) -> None:
        """Start a server again at its address."""
        service = ApiServer(number, self.settings)
        service.preferred_port = self.servers[number - 1].record.port
        self.servers[number - 1] = self._undo.enter_context(
            acquire(service, self.folder, ready_within=START_SECONDS)
        )

    def start_workers(self, more: dict[str, str]) -> None:
        """Start both workers."""
        names = [f"worker-{number}" for number in range(1, WORKERS + 1)]

        for name in names:
            home = self.folder / name / "home"
            worker = PrefectWorker(
                api_url=self.url, pool=POOL, worker=name, settings=more, home=home
            )
            self._undo.enter_context(
                acquire(worker, self.folder / name, ready_within=START_SECONDS)
            )


@contextmanager
def running_team(folder: Path) -> Iterator[Team]:
    """Run two Prefect servers on PostgreSQL and Redis behind nginx, without workers."""
    with ExitStack() as undo:
        postgres = undo.enter_context(short_lived_postgres(folder))
        shared = undo.enter_context(acquire(Redis(), folder))
        address = postgres.replace("postgresql://", "postgresql+asyncpg://", 1)
        settings = read_env(FILES / "prefect.env") | {
            "PREFECT_SERVER_DATABASE_CONNECTION_URL": f"{address}?ssl=disable",
            "PREFECT_REDIS_MESSAGING_URL": f"{shared.url}/0",
            "PREFECT_REDIS_WORKER_CLEANUP_QUEUE_URL": f"{shared.url}/0",
            "PREFECT_SERVER_DOCKET_URL": f"{shared.url}/1",
        }
        upgrade = (sys.executable, "-m", "prefect", "server", "database", "upgrade", "-y")
        program = Program(upgrade, folder, prefect_environment(folder / "upgrade", settings))
        log = folder / "upgrade.log"
        assert run(program, log, seconds=START_SECONDS) == 0, log.read_text()
        # One after the other, as compose.yaml does it: both would write the kinds of blocks into an
        # empty database, and one then ends (Prefect 3.9.1).
        servers = [
            undo.enter_context(
                acquire(ApiServer(number, settings), folder, ready_within=START_SECONDS)
            )
            for number in range(1, SERVERS + 1)
        ]
        undo.enter_context(acquire(BackgroundServices(settings), folder))
        proxy = undo.enter_context(acquire(Proxy([s.record.port for s in servers]), folder))
        yield Team(folder, proxy.url, settings, servers, undo)
