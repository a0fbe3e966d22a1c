import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.facefusion.checkouts import Checkout, write_checkout
from tests.support.facefusion.driven_host import MODES, Drive, DrivenHost
from tests.support.facefusion.supervised import OpenEngine, Supervised


@pytest.fixture(scope="session")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A FaceFusion that no test changes."""
    return write_checkout(tmp_path_factory.mktemp("checkout") / "home")


def shared_host(mode: str) -> Any:  # noqa: ANN401 - a fixture's own type is private
    """Make the fixture of a host in a mode, for all tests that change nothing of it."""

    @pytest.fixture(scope="session", name=f"{mode}_host")
    def host(checkout: Checkout, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DrivenHost]:
        started = DrivenHost(checkout, tmp_path_factory.mktemp(mode), MODES[mode])
        yield started
        started.end()

    return host


resident_host, isolated_host = map(shared_host, MODES)


@pytest.fixture(scope="session", params=[f"{mode}_host" for mode in MODES])
def driven_host(request: pytest.FixtureRequest) -> DrivenHost:
    """Both shared hosts in turn, for claims that the choice of process could break."""
    host: DrivenHost = request.getfixturevalue(request.param)
    return host


@pytest.fixture
def own_checkout(tmp_path: Path) -> Checkout:
    """A FaceFusion for one test to spoil."""
    return write_checkout(tmp_path / "home")


@pytest.fixture
def drive(tmp_path: Path) -> Iterator[Drive]:
    """Starts hosts, which end with the test."""
    with contextlib.ExitStack() as stack:

        def start(checkout: Checkout, *arguments: str, **environment: str) -> DrivenHost:
            host = DrivenHost(checkout, tmp_path / "host", arguments, environment)
            stack.callback(host.end)
            return host

        yield start


@pytest.fixture
def open_engine(tmp_path: Path) -> Iterator[OpenEngine]:
    """Opens engines, which are closed after the test."""
    with contextlib.ExitStack() as stack:

        def start(**plan: Any) -> Supervised:
            return stack.enter_context(Supervised(tmp_path, **plan))

        yield start
