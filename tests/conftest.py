"""Real services for tests: each started once a session on a free port, and ended by pid."""

import logging
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from itertools import chain, groupby
from pathlib import Path

import prefect
import pytest
import stamina
from filelock import FileLock

from storycanvas.net.atomic_files import write_atomically
from storycanvas.services.errors import PostgresUnusable
from storycanvas.services.face_host import FaceHost
from storycanvas.services.mongod import Mongod
from storycanvas.services.postgres import find_programs
from storycanvas.services.prefect import PrefectServer
from storycanvas.services.shared import acquire, find_running
from tests.support.postgres import short_lived_postgres
from tests.support.services import running_prefect

pytest_plugins = [
    "tests.support.db.fixtures",
    "tests.support.facefusion.fixtures",
    "tests.support.flows.fixtures",
    "tests.support.host.fixtures",
]

TESTS = Path(__file__).parent
WITHOUT_PREFECT_FIRST = ("services", "flows", "system", "unit")
LONG_SYSTEM_TESTS = (
    "test_team.py",
    "test_killed_drains.py",
    "test_local_stack.py",
    "test_runs_of_the_stack.py",
    "test_prefect_ui.py",
    "test_demo.py",
    "test_guard_processes.py",
    "test_killed_migration.py",
)
LONGEST_FIRST = {name: number for number, name in enumerate(LONG_SYSTEM_TESTS)}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Order the tests so that no process of the run ends alone with those that wait.

    Each process begins with an equal part of the list, and takes from the ends of the others' when
    it has done its own. So files are dealt to as many parts as there are processes, and each part
    begins with what waits. Flows come first in the first part only: one process starts the Prefect
    server, whose first start takes 15 s, while the others go on.

    System tests go to the processes file by file instead, in the order of the list.
    """
    if all(_folder(item) == "system" for item in items):
        items.sort(key=lambda item: LONGEST_FIRST.get(item.path.name, len(LONGEST_FIRST)))
        return
    parts: list[list[pytest.Item]] = [
        [] for _ in range(getattr(config, "workerinput", {}).get("workercount", 1))
    ]
    files = [list(tests) for _, tests in groupby(items, key=lambda item: item.path)]
    for tests in sorted(files, key=lambda tests: _folder(tests[0])):
        min(parts, key=len).extend(tests)
    for part in parts[1:]:
        part.sort(key=lambda item: WITHOUT_PREFECT_FIRST.index(_folder(item)))
    items[:] = chain.from_iterable(parts)


def _folder(item: pytest.Item) -> str:
    """`flows`, `services`, `system` or `unit`: the alphabet happens to have the slowest first."""
    return item.path.relative_to(TESTS).parts[0]


@pytest.fixture(autouse=True, scope="session")
def _no_waits_between_tries() -> Iterator[None]:
    """Repeat calls without a wait; a test of the waits calls `stamina.set_testing(False)`."""
    with stamina.set_testing(True, attempts=1000, cap=True):
        yield


def pytest_unconfigure() -> None:
    """Suppress the traceback of a log line that finds pytest's stream closed.

    Threads of Prefect log until the interpreter ends.
    """
    logging.raiseExceptions = False


@pytest.fixture(scope="session")
def state_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("state")


@pytest.fixture(scope="session")
def shared_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all processes of one test run find."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@pytest.fixture(scope="session")
def mongo_url(shared_dir: Path) -> Iterator[str]:
    """A replica set of one member, shared by the processes of one test run."""
    with acquire(Mongod(), shared_dir / "replica_set") as lease:
        yield lease.url


@pytest.fixture(scope="session")
def standalone_url(shared_dir: Path) -> Iterator[str]:
    """A standalone server, shared by the processes of one test run."""
    with acquire(Mongod(standalone=True), shared_dir / "standalone") as lease:
        yield lease.url


@pytest.fixture(scope="session")
def host_url(state_dir: Path) -> Iterator[str]:
    with acquire(FaceHost(), state_dir) as lease:
        yield lease.url


@pytest.fixture(scope="session")
def prefect_url(shared_dir: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """A Prefect server, shared by the processes of one test run.

    A second server costs a tenth of a core while it idles. Limits have names of their own, by host
    or at random; a test that reads what is kept under a key takes `only_user_of_artifact_keys`.

    It runs on PostgreSQL where one is installed: SQLite refuses a write that meets another, and
    the clients of four processes then wait for seconds between their tries.
    """
    with ExitStack() as undo:
        with FileLock(shared_dir / "prefect.lock"):
            try:
                database = undo.enter_context(short_lived_postgres(shared_dir))
            except PostgresUnusable:
                database = None
                if find_running(PrefectServer.name, shared_dir) is None:
                    request.getfixturevalue("with_prefect_database")(shared_dir)
            lease = undo.enter_context(running_prefect(shared_dir, database=database))
        yield lease.url


@pytest.fixture(scope="session")
def prefect_database(shared_dir: Path, pytestconfig: pytest.Config) -> Path:
    """An SQLite database as a Prefect server leaves it after its first start, which takes 15 s."""
    copy, state_dir = shared_dir / "first_start.db", shared_dir / "first_start"
    kept = _kept_first_start(pytestconfig)
    with FileLock(shared_dir / "first_start.lock"):
        if not copy.exists() and kept and kept.exists():
            shutil.copy(kept, copy)
        elif not copy.exists():
            made = state_dir / PrefectServer.name / "prefect.db"
            with (
                running_prefect(state_dir),
                closing(sqlite3.connect(made)) as source,
                closing(sqlite3.connect(copy)) as target,
            ):
                source.backup(target)
            if kept:
                write_atomically(kept, copy.read_bytes())
    return copy


def _kept_first_start(config: pytest.Config) -> Path | None:
    """Where the database of a first start is kept for the next test run, in `.pytest_cache`."""
    cache: pytest.Cache | None = getattr(config, "cache", None)
    return cache and cache.mkdir("prefect") / f"first_start-{prefect.__version__}.db"


@pytest.fixture(scope="session")
def with_prefect_database(prefect_database: Path) -> Callable[[Path], Path]:
    """Let a Prefect server of a state directory find its database made."""

    def prepare(state_dir: Path) -> Path:
        directory = state_dir / PrefectServer.name
        directory.mkdir(parents=True)
        shutil.copy(prefect_database, directory / "prefect.db")
        return state_dir

    return prepare


@pytest.fixture(scope="session")
def for_many_runs(request: pytest.FixtureRequest) -> Callable[[Path], Path]:
    """Let a whole system of a state directory have PostgreSQL, as it has by itself.

    Where none is installed it finds its SQLite database made.
    """

    def prepare(state_dir: Path) -> Path:
        try:
            find_programs()
        except PostgresUnusable:
            request.getfixturevalue("with_prefect_database")(state_dir)
        return state_dir

    return prepare
