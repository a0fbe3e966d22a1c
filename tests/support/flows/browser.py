"""Debian's Chromium, which sees nothing but this machine."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, Route, expect, sync_playwright

from storycanvas.services.ports import ask
from tests.support.flows.prefect_pages import PrefectPages

CHROMIUM = shutil.which("chromium")
OPTIONS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PATIENCE_MS = 90_000
"""A machine that runs several whole systems takes long to show a page."""


@contextmanager
def open_browser(profile: Path, **options: Any) -> Iterator[BrowserContext]:
    """Open a browser; its event loop must not run under tests that do without it.

    Args:
        profile: An empty folder.
        options: More of what Playwright takes.
    """
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            profile,
            executable_path=CHROMIUM,
            args=OPTIONS,
            viewport={"width": 1400, "height": 1200},
            **options,
        )
        context.set_default_timeout(PATIENCE_MS)
        context.route("**/*", _only_this_machine)
        yield context
        context.close()


def retry_ended_run(api: str, run_id: str, name: str, sentence: str, profile: Path) -> None:
    """Press Retry on the page of a run that ended; without a browser, ask for what it asks.

    Args:
        api: Address of the server's API.
        run_id: The run.
        name: Name of the state that the page must show.
        sentence: The state's message, which it must show, too.
        profile: A folder for the browser.
    """
    if CHROMIUM is None:
        again = {"type": "SCHEDULED", "name": "AwaitingRetry"}
        assert ask(f"{api}/flow_runs/{run_id}/set_state", {"state": again})
        return
    with open_browser(profile) as browser:
        pages = PrefectPages(browser.new_page(), api)
        pages.open_run(run_id)
        expect(pages.page.get_by_text(name, exact=True).first).to_be_visible()
        pages.open_tab("Details")
        expect(pages.page.get_by_text(sentence, exact=True).first).to_be_visible()
        pages.retry_run()


def _only_this_machine(route: Route) -> None:
    if urlsplit(route.request.url).hostname == "127.0.0.1":
        route.continue_()
    else:
        route.abort()
