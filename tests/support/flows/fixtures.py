"""A whole StoryCanvas for flows: real database, Prefect server, face host and image store."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from prefect import Flow
from prefect.client.orchestration import get_client
from prefect.exceptions import PrefectHTTPStatusError
from prefect.settings import (
    PREFECT_API_URL,
    PREFECT_CLIENT_CSRF_SUPPORT_ENABLED,
    PREFECT_LOGGING_TO_API_ENABLED,
    temporary_settings,
)
from pymongo.database import Database

from blocks import limits
from blocks.face_host import FaceHost
from blocks.limits import create_limit
from db.connection import reading_anything
from deployments.sample import TARGET
from storycanvas.faces.client.host_client import FaceHostClient
from storycanvas.faces.pictures.image_store import ImageStore
from tasks.catalog import civitai_api
from tests.support.app_contract import new_faults
from tests.support.db.database_state import documents
from tests.support.flows.runs import set_retries
from tests.support.flows.world import CHARACTER, World, group_picture, unique_portrait


@pytest.fixture(scope="session")
def prefect(prefect_url: str) -> Iterator[None]:
    """Use the session's server; calls to Civitai are 10 ms apart, and repeated after 20 ms.

    Log lines stay in the process, and no client asks for a token that the server does not use:
    a tenth of what the server of a test run has to do.
    """
    settings = {
        PREFECT_API_URL: prefect_url,
        PREFECT_CLIENT_CSRF_SUPPORT_ENABLED: False,
        PREFECT_LOGGING_TO_API_ENABLED: False,
    }
    with pytest.MonkeyPatch.context() as patch, temporary_settings(settings):
        patch.setattr(limits, "CIVITAI_PERIOD_SECONDS", 0.01)
        patch.setattr(civitai_api, "FIRST_WAIT_SECONDS", 0.02)
        yield


@pytest.fixture
def only_user_of_artifact_keys(
    prefect: None,  # noqa: ARG001 - it names the server
    shared_dir: Path,
) -> Iterator[None]:
    """Keep other processes of the test run from publishing under the same keys meanwhile."""
    with FileLock(shared_dir / "artifact_keys.lock"):
        yield


@pytest.fixture(scope="session")
def limit(prefect: None, host_url: str) -> str:  # noqa: ARG001 - it sets the server
    name = FaceHost(url=host_url).limit_name
    create_limit(name, 1)
    return name


UNAVAILABLE, RUNS = 503, "/api/flow_runs/"


@contextmanager
def read_by_the_app(
    database: Database[dict[str, Any]], patch: pytest.MonkeyPatch
) -> Iterator[None]:
    """Check after each flow that the app's back end can read every document that it wrote."""
    found: set[tuple[str, str, str]] = set()
    tolerant = reading_anything(database)
    run: Callable[..., Any] = Flow.__call__

    def run_and_check(flow: Flow[..., Any], *arguments: Any, **named: Any) -> Any:  # noqa: ANN401 - any flow
        before = documents(tolerant)
        try:
            return run(flow, *arguments, **named)
        except PrefectHTTPStatusError as error:
            # SQLite refuses a write that met another; the client has tried for a minute by then,
            # and no run was made.
            if error.response.status_code != UNAVAILABLE or not str(error.request.url).endswith(
                RUNS
            ):
                raise
            return run(flow, *arguments, **named)
        finally:
            found.update(new_faults(before, documents(tolerant)))

    patch.setattr(Flow, "__call__", run_and_check)
    yield
    assert found == set(), "the app's back end cannot read what a flow wrote"


@pytest.fixture
def configured(
    prefect: None,  # noqa: ARG001 - it names the server
    database: Database[dict[str, Any]],
    mongo_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Database[dict[str, Any]]]:
    """The environment names an empty database."""
    monkeypatch.setenv("MONGO_URL", mongo_url)
    monkeypatch.setenv("DB_NAME", database.name)
    set_retries(monkeypatch, 0)
    with read_by_the_app(database, monkeypatch):
        yield database


@contextmanager
def open_world(
    folder: Path,
    database: Database[dict[str, Any]],
    urls: dict[str, str],
    patch: pytest.MonkeyPatch,
) -> Iterator[World]:
    """Name services in the environment, and store one character with a portrait of its own."""
    store = (folder / "images").as_uri()
    environment = {
        "DB_NAME": database.name,
        "IMAGE_STORE": store,
        "STORYCANVAS_STATE": str(folder / "state"),
    }
    for name, value in (urls | environment).items():
        patch.setenv(name, value)
    set_retries(patch, 2)
    database["characters"].insert_one(
        {"id": CHARACTER, "name": "Mira", "reference_images": [unique_portrait(folder)]}
    )
    with read_by_the_app(database, patch), FaceHostClient(urls["FACEFUSION_URL"]) as host:
        yield World(database, ImageStore(store), host, folder)


@pytest.fixture(scope="session")
def urls(mongo_url: str, host_url: str, limit: str) -> dict[str, str]:  # noqa: ARG001 - must be there
    return {"MONGO_URL": mongo_url, "FACEFUSION_URL": host_url}


@pytest.fixture
def world(
    database: Database[dict[str, Any]],
    urls: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[World]:
    with open_world(tmp_path, database, urls, monkeypatch) as opened:
        yield opened


@pytest.fixture
def read_after_processes(world: World) -> Iterator[None]:
    """Check that the app can read what flows in other processes left in the database."""
    tolerant = reading_anything(world.database)
    before = documents(tolerant)
    yield
    assert new_faults(before, documents(tolerant)) == set(), (
        "the app's back end cannot read what a flow wrote"
    )


@pytest.fixture
def own_host(
    world: World,  # noqa: ARG001 - it names the usual host, which this one replaces
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Callable[[str], str]]:
    """Point the environment to another host and give it a limit of its own."""
    with ExitStack() as undo:

        def use(url: str) -> str:
            name = FaceHost(url=url).limit_name
            create_limit(name, 1)
            undo.callback(_delete_limit, name)
            monkeypatch.setenv("FACEFUSION_URL", url)
            return name

        yield use


@pytest.fixture
def own_farm(
    own_host: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> Callable[[list[str]], None]:
    """Point the environment to several hosts and give each a limit of its own."""

    def use(urls: list[str]) -> None:
        for url in urls:
            own_host(url)
        monkeypatch.setenv("FACEFUSION_URL", ",".join(urls))

    return use


def _delete_limit(name: str) -> None:
    with get_client(sync_client=True) as client:
        client.delete_global_concurrency_limit_by_name(name)


@pytest.fixture
def target() -> str:
    return str(TARGET)


@pytest.fixture
def group(world: World) -> str:
    return world.picture("group.png", group_picture())
