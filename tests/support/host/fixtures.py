import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from storycanvas.faces.errors import ContentRejected, EngineFailed, NoFace
from tests.support.host.gated_engine import GatedEngine
from tests.support.host.picture_server import PictureServer
from tests.support.host.pictures import encoded
from tests.support.host.started_host import StartedHost, StartHost
from tests.support.host.threaded_host import OpenHost, ThreadedHost
from tests.support.paths import ROOT

FAILURES: dict[int, Exception] = {
    1: NoFace("The picture shows no face."),
    2: ContentRejected("The picture is refused."),
    3: EngineFailed("The model broke down."),
    4: RuntimeError("secret detail"),
}


@pytest.fixture(scope="session")
def picture_server() -> Iterator[PictureServer]:
    with PictureServer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield server
        server.closing.set()
        server.shutdown()
        thread.join()


@pytest.fixture(scope="session")
def allowed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("allowed")
    (folder / "face.png").write_bytes(encoded())
    return folder


@pytest.fixture(scope="session")
def host(
    tmp_path_factory: pytest.TempPathFactory, picture_server: PictureServer, allowed: Path
) -> Iterator[ThreadedHost]:
    """A host shared by all tests that change nothing of it."""
    engine = GatedEngine(fails_at=FAILURES)
    with ThreadedHost(
        engine,
        tmp_path_factory.mktemp("host"),
        allow_roots=[allowed],
        allow_url_hosts=[picture_server.address],
    ) as started:
        yield started


@pytest.fixture
def picture(host: ThreadedHost) -> str:
    return host.upload(encoded())


@pytest.fixture
def open_host(tmp_path: Path) -> Iterator[OpenHost]:
    """Opens hosts in threads with an engine and settings of their own."""
    with contextlib.ExitStack() as stack:

        def start(
            engine: GatedEngine | None = None, *, gated: bool = False, **settings: Any
        ) -> ThreadedHost:
            engine = engine or GatedEngine(gated=gated)
            return stack.enter_context(ThreadedHost(engine, tmp_path / "data", **settings))

        yield start


@pytest.fixture
def start_host(tmp_path: Path) -> Iterator[StartHost]:
    """Starts hosts as processes and ends those that still run."""
    with contextlib.ExitStack() as stack:

        def start(**options: Any) -> StartedHost:
            started = StartedHost(tmp_path / "data", **options)
            stack.callback(lambda: started.process.poll() is None and started.kill())
            return started

        yield start


@pytest.fixture(scope="session")
def host_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartedHost]:
    """The program as it is, with its default engine."""
    samples = ("--allow-root", str(ROOT / "samples"))
    started = StartedHost(tmp_path_factory.mktemp("process"), samples)
    yield started
    started.end()
