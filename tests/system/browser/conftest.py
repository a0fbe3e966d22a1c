"""The whole stack and Debian's Chromium; without one the tests are left out, and it shows."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import BrowserContext, Page

from blocks.environment import Environment
from deployments.local_stack import local_stack
from deployments.sample import CHARACTER_ID
from deployments.stack import Stack
from storycanvas.services.ports import ask
from storycanvas.services.shared import acquire
from tests.support.flows.browser import CHROMIUM, open_browser
from tests.support.flows.hosts import REFUSED_AGE, OddHost
from tests.support.flows.prefect_pages import PrefectPages, Start, wait_for_run

LEFT_OUT = "browser tests left out: no chromium on PATH (Debian: apt-get install chromium)"

left_out = pytest.StashKey[bool]()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if CHROMIUM:
        return
    impossible = [item for item in items if item.get_closest_marker("browser")]
    items[:] = [item for item in items if item not in impossible]
    config.hook.pytest_deselected(items=impossible)
    config.stash[left_out] = bool(impossible)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    if config.stash.get(left_out, False):
        terminalreporter.write_line(LEFT_OUT, yellow=True)


@pytest.fixture(scope="module")
def stack(
    tmp_path_factory: pytest.TempPathFactory, for_many_runs: Callable[[Path], Path]
) -> Iterator[Stack]:
    """The real system, with nothing but what it starts itself."""
    with ExitStack() as ending:
        with pytest.MonkeyPatch.context() as environment:
            for name in Environment.model_fields:
                environment.delenv(name.upper(), raising=False)
            state_dir = for_many_runs(tmp_path_factory.mktemp("stack"))
            running = ending.enter_context(local_stack(state_dir, show=lambda _line: None))
        yield running


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrowserContext]:
    """Closed with the module: its event loop must not run under the tests of other modules."""
    with open_browser(tmp_path_factory.mktemp("chromium")) as context:
        yield context


@pytest.fixture
def page(browser: BrowserContext) -> Iterator[Page]:
    with browser.new_page() as opened:
        yield opened


@pytest.fixture(scope="module")
def api(stack: Stack) -> str:
    """Address of the API, with schedules paused: a run at night would change the database."""
    address = stack.environment["PREFECT_API_URL"]
    for deployment in ask(f"{address}/deployments/filter", {}):
        if deployment["schedules"]:
            ask(f"{address}/deployments/{deployment['id']}/pause_deployment", {})
    return address


@pytest.fixture
def ui(page: Page, api: str) -> PrefectPages:
    return PrefectPages(page, api)


@pytest.fixture(scope="module")
def start(api: str) -> Start:
    """Start a run and return its id, as the form does."""

    def create(flow: str, **parameters: object) -> str:
        deployment = ask(f"{api}/deployments/name/{flow}/{flow}")["id"]
        body = {"parameters": parameters, "state": {"type": "SCHEDULED"}}
        for _attempt in range(5):  # a busy server answers 503 at once
            created = ask(f"{api}/deployments/{deployment}/create_flow_run", body)
            if created is not None:
                break
        return str(created["id"])

    return create


@pytest.fixture(scope="module")
def run(browser: BrowserContext, api: str) -> str:
    """A run for two ages, started from the form with Enter behind the character's id."""
    with browser.new_page() as page:
        ui = PrefectPages(page, api)
        ui.open_form("age-progression")
        ui.field("character_id").get_by_role("textbox").fill(f"{CHARACTER_ID}\n")
        ui.type_ages(40, 60)
        run_id = ui.submit()
    assert wait_for_run(api, run_id)["state_name"] == "Completed"
    return run_id


@pytest.fixture(scope="module")
def partly_failed(
    api: str, start: Start, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """A run of which the host refuses an age; the block of the host is as before afterwards."""
    with (
        acquire(OddHost("refuses-an-age"), tmp_path_factory.mktemp("odd")) as lease,
        httpx.Client(base_url=f"{api}/", trust_env=False) as client,
    ):
        limit = {"name": f"gpu:{lease.url.removeprefix('http://')}", "limit": 1, "active": True}
        client.post("v2/concurrency_limits/", json=limit).raise_for_status()
        found = client.get("block_types/slug/face-host/block_documents/name/default").json()
        block = f"block_documents/{found['id']}"
        _patch(client, block, {"data": {"url": lease.url}})
        try:
            run_id = start("age-progression", character_id=CHARACTER_ID, ages=[REFUSED_AGE, 50])
            assert wait_for_run(api, run_id)["state_name"] == "Failed"
        finally:
            _patch(client, block, {"data": {"url": found["data"]["url"]}})
        yield run_id


def _patch(client: httpx.Client, path: str, body: dict[str, object]) -> None:
    """Change something on a server whose SQLite refuses a write that meets another one."""
    for _attempt in range(20):
        if (answer := client.patch(path, json=body)).status_code != httpx.codes.SERVICE_UNAVAILABLE:
            break
        time.sleep(0.25)
    answer.raise_for_status()
