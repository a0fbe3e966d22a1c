"""A run that waits for a person while its worker is killed, and goes on with the answer."""

import os
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playwright.sync_api import expect

from db.connection import connect
from db.connection_string import DEFAULT_NAME
from deployments.sample import CHARACTER_ID
from storycanvas.faces.client.host_client import FaceHostClient
from storycanvas.services.ports import ask
from storycanvas.services.shared import find_running
from tests.support.flows.browser import CHROMIUM, open_browser
from tests.support.flows.prefect_pages import PrefectPages
from tests.system.test_local_stack import command

if TYPE_CHECKING:
    from tests.system.test_runs_of_the_stack import Api  # it has the short form

KEPT, REJECTED, NOTE = 33, 35, "The eyes are off."
"""Two ages that no other run of the stack makes."""
END = {"COMPLETED", "FAILED", "CRASHED"}


def answer_after(api: "Api", seconds: float, profile: Path) -> None:
    """Have a run wait for an answer, its worker killed meanwhile, and answer on its page.

    Args:
        api: That of a local stack that is up.
        seconds: How long there is no answer.
        profile: An empty folder for the browser; without one the API is asked for the same.
    """
    state_dir = api.state_dir
    run = _start(api)
    api.until(lambda: api.run(run)["state_name"] == "Suspended", 300)
    worker, done = find_running("prefect_worker", state_dir), _operations(state_dir)
    assert worker
    assert _shown_ages(state_dir).isdisjoint({KEPT, REJECTED})
    time.sleep(seconds / 2)
    os.kill(worker.pid, signal.SIGKILL)
    time.sleep(seconds / 2)
    assert command("up", state_dir).returncode == 0
    assert api.run(run)["state_name"] == "Suspended"

    _answer(api, run, profile)

    api.until(lambda: api.run(run)["state_type"] in END, 300)
    ended = api.run(run)
    assert ended["state_name"] == "Completed", ended["state"]["message"]
    assert "1 reused, 1 rejected" in ended["state"]["message"]
    assert _operations(state_dir) == done
    assert _shown_ages(state_dir) & {KEPT, REJECTED} == {KEPT}


def _start(api: "Api") -> str:
    asked = {"character_id": CHARACTER_ID, "ages": [KEPT, REJECTED], "enhance": "none"}
    body = {"name": "for review", "parameters": {**asked, "review": True}}
    address = f"/deployments/{api.deployments()['age-progression']}/create_flow_run"
    run: str = api.post(address, body)["id"]
    return run


def _answer(api: "Api", run: str, profile: Path) -> None:
    """Answer on the page of the run; without a browser, ask for what the page asks."""
    if CHROMIUM is None:
        given = {"reject": [f"age {REJECTED}"], "note": NOTE}
        assert ask(f"{api.url}/flow_runs/{run}/resume", {"run_input": given})["status"] == "ACCEPT"
        return
    with open_browser(profile) as browser:
        pages = PrefectPages(browser.new_page(), api.url)
        form = pages.open_review(run)
        expect(form.get_by_text("the run ends Failed and nothing goes to the")).to_be_visible()
        expect(form.get_by_role("link", name="Contact sheet")).to_be_visible()
        pages.answer_review(form, f"age {REJECTED}", NOTE)


def _operations(state_dir: Path) -> int:
    """Count what the host has done."""
    host = find_running("face_host", state_dir)
    assert host
    with FaceHostClient(host.url) as client:
        return client.status().operations


def _shown_ages(state_dir: Path) -> set[int]:
    """List the ages that the gallery of the sample character shows."""
    mongod = find_running("mongod", state_dir)
    assert mongod
    with connect(mongod.url, DEFAULT_NAME).client as client:
        character = client[DEFAULT_NAME]["characters"].find_one({"id": CHARACTER_ID}) or {}
    gallery: dict[str, Any] = character.get("facefusion_output_gallery") or {}
    return {int(age) for age in gallery.get("age_variants") or {}}
