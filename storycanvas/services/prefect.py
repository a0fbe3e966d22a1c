"""Prefect's server with its UI, its files in the state directory."""

import logging
import os
import re
import sys
import tomllib
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from storycanvas.services.local_service import LocalService
from storycanvas.services.ports import LOOPBACK, ask
from storycanvas.services.process import CODE, CREATE_TIME_TOLERANCE, Program
from storycanvas.services.record import Record

log = logging.getLogger(__name__)

_NOT_HERE = re.compile(
    r"PREFECT_(_.*|HOME|PROFILE|PROFILES_PATH|(UNIT_)?TEST.*|.*("
    r"_URL|_KEY|AUTH_STRING|CUSTOM_HEADERS|CSRF_\w+|API_(HOST|PORT|BASE_PATH)|SERVE_BASE"
    r"|DATABASE_(DRIVER|HOST|PORT|NAME|USER|PASSWORD|MIGRATE_ON_START)|CONNECT_ARGS_\w+"
    r"|MESSAGING_\w+|DOCKET_\w+|EPHEMERAL_\w+|LEASE_STORAGE|QUEUE_STORAGE"
    r"|STORAGE_(PATH|BLOCK)|STORE_PATH|STATIC_DIRECTORY))"
)
"""Settings that lead to another server, its database, its files or its blocks, and those that shut
the local one to the calls of this project, which have no key and no token."""


def prefect_environment(home: Path, settings: Mapping[str, str]) -> dict[str, str]:
    """Take this process's whole environment and the user's Prefect profile.

    Settings that name another server than the one of the settings are left out.

    Args:
        home: Where Prefect keeps profiles, results and its SQLite file, in place of `~/.prefect`.
        settings: Prefect settings and other variables to add; they come first.
    """
    inherited = {**_profile(os.environ), **os.environ}
    return {
        **{key: value for key, value in inherited.items() if not _NOT_HERE.fullmatch(key)},
        "DO_NOT_TRACK": "1",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_HOME": str(home),
        **settings,
    }


def _profile(environment: Mapping[str, str]) -> dict[str, str]:
    """Read the settings of the user's active profile: with another home Prefect finds none."""
    home = Path(environment.get("PREFECT_HOME") or "~/.prefect").expanduser()
    file = Path(environment.get("PREFECT_PROFILES_PATH") or home / "profiles.toml").expanduser()
    try:
        stored = tomllib.loads(file.read_text())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        log.warning("Prefect's profiles in %s are left out: %s. Correct the file.", file, error)
        return {}
    active = environment.get("PREFECT_PROFILE") or stored.get("active")
    profile = stored.get("profiles", {}).get(active, {})
    return {key: str(value) for key, value in profile.items()}


class PrefectWorker(LocalService):
    """`prefect worker start`, which makes its work pool when there is none.

    It listens on no port: its `url` is the API that it serves, which distinguishes it from the
    worker of another server.

    Attributes:
        api_url: The Prefect server whose runs it takes.
        pool: The work pool that it polls.
        worker: What it is called there.
        settings: What its flow runs find in their environment, on top of this process's own.
        home: Its `PREFECT_HOME`.
    """

    name = "prefect_worker"
    listens = False

    def __init__(
        self, *, api_url: str, pool: str, worker: str, settings: Mapping[str, str], home: Path
    ) -> None:
        self.api_url = api_url
        self.pool = pool
        self.worker = worker
        self.settings = settings
        self.home = home

    def program(self, directory: Path, port: int) -> Program:
        """Build the program to start; it needs neither directory nor port."""
        del directory, port
        settings = {
            **self.settings,
            "PREFECT_API_URL": self.api_url,
            # The button "Run" waits for the next poll; the default is 10 s.
            "PREFECT_WORKER_QUERY_SECONDS": "1",
        }
        argv = [sys.executable, "-m", "prefect", "worker", "start"]
        argv += ["--pool", self.pool, "--name", self.worker, "--type", "process"]
        return Program(tuple(argv), CODE, prefect_environment(self.home, settings))

    def url(self, port: int) -> str:
        """Give the address of the API whose runs it takes."""
        del port
        return self.api_url

    def becomes_ready(self, record: Record) -> bool:
        """Check whether the server has heard of this very worker."""
        workers = ask(f"{self.api_url}/work_pools/{self.pool}/workers/filter", {}) or []
        # Create times are rounded: a heartbeat of the worker before must not count for this one.
        since = record.create_time + CREATE_TIME_TOLERANCE
        return any(
            worker["name"] == self.worker and _seconds(worker["last_heartbeat_time"]) > since
            for worker in workers
        )


def _seconds(time: str) -> float:
    return datetime.fromisoformat(time).timestamp()


LEASES_LOOKED_AT_SECONDS = "1"
"""How often the server looks for leases that ran out; by itself it would leave a slot for 15 s."""

LEASES_IN_FILES = "prefect.server.concurrency.lease_storage.filesystem"


class PrefectServer(LocalService):
    """`prefect server start` on loopback; its `url` is the address of the API.

    Attributes:
        database: Address of its PostgreSQL database, with the password; None for an SQLite file.
    """

    name = "prefect_server"

    def __init__(self, *, database: str | None = None, preferred_port: int | None = None) -> None:
        self.database = database
        self.preferred_port = preferred_port

    def program(self, directory: Path, port: int) -> Program:
        """Build the program to start; the server keeps its files in the directory."""
        settings = {
            # A lease kept in memory is lost when the server restarts, and its slot with it.
            "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": LEASES_IN_FILES,
            "PREFECT_SERVER_SERVICES_REPOSSESSOR_LOOP_SECONDS": LEASES_LOOKED_AT_SECONDS,
            # On any port but 4200 the UI would call port 4200.
            "PREFECT_SERVER_UI_API_URL": self.url(port),
            "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
        }
        if self.database:
            address = self.database.replace("postgresql://", "postgresql+asyncpg://", 1)
            # Whatever PGSSLMODE says: it is a server on loopback, without a certificate.
            settings["PREFECT_SERVER_DATABASE_CONNECTION_URL"] = f"{address}?ssl=disable"
        argv = [sys.executable, "-m", "prefect", "server", "start"]
        argv += ["--host", LOOPBACK, "--port", str(port)]
        return Program(tuple(argv), directory, prefect_environment(directory, settings))

    def url(self, port: int) -> str:
        """Build the address of the API, which `PREFECT_API_URL` has to be."""
        return f"http://{LOOPBACK}:{port}/api"

    def becomes_ready(self, record: Record) -> bool:
        """Make one try to get the server's health."""
        return ask(f"{record.url}/health") is True
