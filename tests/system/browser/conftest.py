"""The whole stack and Debian's Chromium; without one the tests are left out, and it shows."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect, sync_playwright

from blocks.environment import Environment
from deployments.local_stack import local_stack
from deployments.stack import Stack
from tests.support.flows.run_form import RunForm

CHROMIUM = shutil.which("chromium")
LEFT_OUT = "browser tests left out: no chromium on PATH (Debian: apt-get install chromium)"
OPTIONS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PATIENCE_MS = 20_000

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
    tmp_path_factory: pytest.TempPathFactory, with_prefect_database: Callable[[Path], Path]
) -> Iterator[Stack]:
    """The real system, with nothing but what it starts itself."""
    with ExitStack() as ending:
        with pytest.MonkeyPatch.context() as environment:
            for name in Environment.model_fields:
                environment.delenv(name.upper(), raising=False)
            state_dir = with_prefect_database(tmp_path_factory.mktemp("stack"))
            running = ending.enter_context(local_stack(state_dir, show=lambda _line: None))
        yield running


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrowserContext]:
    """Closed with the module: its event loop must not run under the tests of other modules."""
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            tmp_path_factory.mktemp("chromium"),
            executable_path=CHROMIUM,
            args=OPTIONS,
            viewport={"width": 1400, "height": 1200},
        )
        context.set_default_timeout(PATIENCE_MS)
        context.route("**/*", only_this_machine)
        yield context
        context.close()


@pytest.fixture
def page(browser: BrowserContext) -> Iterator[Page]:
    with browser.new_page() as opened:
        yield opened


@pytest.fixture
def form(page: Page, stack: Stack) -> RunForm:
    return RunForm.open(page, stack.addresses["Prefect UI"])


@pytest.fixture(scope="module")
def run_url(browser: BrowserContext, stack: Stack) -> str:
    """Address of a run for the ages 45 and 60, started from the form and completed."""
    ui = stack.addresses["Prefect UI"]
    with browser.new_page() as page:
        form = RunForm.open(page, ui)
        form.type_character("sample-astronaut")
        form.type_ages(45, 60)
        url = f"{ui}/runs/flow-run/{form.create_run()}"
        page.goto(url)
        done = page.get_by_text("Completed", exact=True).first
        expect(done).to_be_visible(timeout=90_000)
    return url


def only_this_machine(route: Route) -> None:
    if urlsplit(route.request.url).hostname == "127.0.0.1":
        route.continue_()
    else:
        route.abort()
