"""Real services for tests: each started once a session on a free port, and ended by pid."""

import logging
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import stamina
from filelock import FileLock

from storycanvas.services.face_host import FaceHost
from storycanvas.services.mongod import Mongod
from storycanvas.services.prefect import PrefectServer
from storycanvas.services.shared import acquire
from tests.support.services import running_prefect

pytest_plugins = [
    "tests.support.db.fixtures",
    "tests.support.facefusion.fixtures",
    "tests.support.flows.fixtures",
    "tests.support.host.fixtures",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.get_closest_marker("last") is not None)


@pytest.fixture(autouse=True, scope="session")
def _no_waits_between_tries() -> Iterator[None]:
    """Repeat calls without a wait; a test of the waits calls `stamina.set_testing(False)`."""
    with stamina.set_testing(True, attempts=1000, cap=True):
        yield


def pytest_unconfigure() -> None:
    """Say nothing of a log line that finds pytest's stream closed.

    Threads of Prefect log until the interpreter ends; no test is left that could be told.
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
def prefect_database(shared_dir: Path) -> Path:
    """The database of a Prefect server after its first start, which takes 20 s for making it.

    The processes of one test run share it: all of them find the same folder.
    """
    made = shared_dir / "first_start" / PrefectServer.name / "prefect.db"
    with FileLock(shared_dir / "first_start.lock"):
        if not made.exists():
            with acquire(PrefectServer(), shared_dir / "first_start"):
                pass
    return made


@pytest.fixture(scope="session")
def with_prefect_database(prefect_database: Path) -> Callable[[Path], Path]:
    """Let a Prefect server of a state directory find its database made."""

    def prepare(state_dir: Path) -> Path:
        directory = state_dir / PrefectServer.name
        directory.mkdir(parents=True)
        shutil.copy(prefect_database, directory)
        return state_dir

    return prepare


@pytest.fixture(scope="session")
def prefect_url(shared_dir: Path, with_prefect_database: Callable[[Path], Path]) -> Iterator[str]:
    """A Prefect server, shared by the processes of one test run.

    A second server costs a tenth of a core while it idles. Limits have names of their own, by host
    or at random; a test that reads what is kept under a key takes `only_user_of_artifact_keys`.
    """
    state_dir = shared_dir / "prefect"
    with FileLock(shared_dir / "prefect.lock"):
        if not state_dir.exists():
            with_prefect_database(state_dir)
    with running_prefect(state_dir) as lease:
        yield lease.url
