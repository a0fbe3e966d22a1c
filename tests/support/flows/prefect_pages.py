"""The pages of Prefect's newer UI, which opens by default, as a person uses them."""

import re
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from playwright.sync_api import Locator, Page, Response, expect

from storycanvas.services.ports import ask

SUBMITS = 5
FINAL = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}
RUN_SECONDS = 240.0

Start = Callable[..., str]
"""Takes a deployment's name and its parameters, and gives the id of the run."""


class PrefectPages:
    """A browser's page that shows the UI of a Prefect server.

    Attributes:
        page: The page.
        api: Address of the server's API.
        fields: The fields of an open run form, in order.
    """

    def __init__(self, page: Page, api: str) -> None:
        self.page = page
        self.api = api
        self.fields = page.locator("form div:has(> fieldset)")
        self._pages = f"{api.removesuffix('/api')}/v2"

    def open_form(self, flow: str) -> None:
        """Open the form behind "Run" and "Custom run"."""
        self._press_run(flow)
        self.page.get_by_role("menuitem", name="Custom run").click()
        expect(self.fields.first).to_be_visible()

    def quick_run(self, flow: str) -> str:
        """Press "Run" and "Quick run", and return the id of the run."""

        def press() -> None:
            self._press_run(flow)
            self.page.get_by_role("menuitem", name="Quick run").click()

        return self._create_run(press)

    def _press_run(self, flow: str) -> None:
        [deployment] = [
            deployment["id"]
            for deployment in ask(f"{self.api}/deployments/filter", {})
            if deployment["name"] == flow
        ]
        self.page.goto(f"{self._pages}/deployments/deployment/{deployment}")
        self.page.get_by_role("button", name="Run", exact=True).click()

    def field(self, name: str) -> Locator:
        label = self.page.locator("label").filter(has_text=re.compile(rf"^{name}\b"))
        return self.fields.filter(has=label)

    def descriptions(self) -> dict[str, str]:
        """Read the sentence of each field and of those in its groups, by the field's name."""
        labels = self.page.locator("form div:has(> fieldset) label:has(+ p)").all()
        return {
            label.inner_text().removesuffix(" (Optional)"): label.locator("+ p").inner_text()
            for label in labels
        }

    def type_into(self, name: str, text: str) -> None:
        """Type into the box of a field, or choose from its list."""
        field = self.field(name)
        box = field.get_by_role("textbox").or_(field.get_by_role("spinbutton"))
        if box.count():
            box.first.fill(text)
            return
        field.get_by_role("button", name=f"Select {name}").or_(
            field.get_by_role("combobox")
        ).first.click()
        self.page.get_by_role("option", name=text, exact=True).click()

    def type_ages(self, *ages: int) -> None:
        """Leave a row of the list for each age."""
        field = self.field("ages")
        boxes = field.get_by_role("spinbutton")
        for left in range(boxes.count() - 1, len(ages) - 1, -1):
            field.locator("fieldset").get_by_role("button", name="Open menu").last.click()
            self.page.get_by_role("menuitem", name="Delete").click()
            expect(boxes).to_have_count(left)
        for row, age in enumerate(ages):
            boxes.nth(row).fill(str(age))

    def press_submit(self) -> None:
        self.page.get_by_role("button", name="Submit").click()

    def submit(self) -> str:
        """Submit the form, and return the id of the run."""
        return self._create_run(self.press_submit)

    def _create_run(self, press: Callable[[], None]) -> str:
        """Press again where the server was too busy, as its own clients do."""
        answer: Response | None = None
        for _attempt in range(SUBMITS):
            with self.page.expect_response("**/create_flow_run") as created:
                press()
            answer = created.value
            if answer.status < HTTPStatus.INTERNAL_SERVER_ERROR:
                break
            # The message over the button stays as long as the mouse is on it.
            self.page.mouse.move(0, 0)
        assert answer is not None
        assert answer.ok, f"{answer.status}: {answer.text()}"
        run_id: str = answer.json()["id"]
        return run_id

    def open_run(self, run_id: str) -> None:
        self.page.goto(f"{self._pages}/runs/flow-run/{run_id}")
        expect(self.page.get_by_role("log")).to_be_visible()

    def open_tab(self, name: str) -> None:
        self.page.get_by_role("tab", name=name).click()

    def link_to_sheet(self) -> Locator:
        """Scroll to the end of a run's log, where the link to its contact sheet is."""
        log = self.page.get_by_role("log")
        link = log.get_by_role("link").filter(has_text="/artifacts/artifact/").last
        for _turn in range(60):
            if link.is_visible():
                break
            log.hover()
            self.page.mouse.wheel(0, 3000)
            self.page.wait_for_timeout(200)
        return link

    def retry_run(self) -> None:
        self.page.locator("button[aria-haspopup=menu]").first.click()
        self.page.get_by_role("menuitem", name="Retry").click()
        dialog = self.page.get_by_role("dialog").or_(self.page.get_by_role("alertdialog"))
        with self.page.expect_response("**/set_state") as answer:
            dialog.get_by_role("button", name="Retry").click()
        assert answer.value.ok, answer.value.text()

    def open_review(self, run_id: str) -> Locator:
        """Open the form that a suspended run waits for, by its menu on its page."""
        self.open_run(run_id)
        self.page.locator("button[aria-haspopup=menu]").first.click()
        self.page.get_by_role("menuitem", name="Resume").click()
        form = self.page.get_by_role("dialog")
        expect(form.get_by_label("Select Reject")).to_be_visible()
        return form

    def answer_review(self, form: Locator, reject: str, note: str) -> None:
        """Reject a picture with a note, and keep the others."""
        form.get_by_label("Select Reject").click()
        self.page.get_by_role("option", name=reject, exact=True).click()
        self.page.keyboard.press("Escape")
        form.get_by_label("Note").fill(note)
        with self.page.expect_response("**/resume") as answer:
            form.get_by_role("button", name="Resume").click()
        assert answer.value.ok, answer.value.text()

    def cancel_run(self) -> None:
        self.page.locator("button[aria-haspopup=menu]").first.click()
        self.page.get_by_role("menuitem", name="Cancel").click()
        self.page.get_by_role("alertdialog").get_by_role("button", name="Cancel Flow Run").click()


def wait_for_run(api: str, run_id: str, states: set[str] = FINAL) -> dict[str, Any]:
    """Wait until a run is in one of some types of states."""
    deadline = time.monotonic() + RUN_SECONDS
    while True:
        run: dict[str, Any] = ask(f"{api}/flow_runs/{run_id}") or {}
        if run.get("state_type") in states:
            return run
        assert time.monotonic() < deadline, run.get("state")
        time.sleep(0.25)


def log_lines(api: str, run_id: str, logger: str | None = None) -> list[str]:
    """Read the lines of a run's log, of one logger or of all."""
    wanted = {"logs": {"flow_run_id": {"any_": [run_id]}}, "sort": "TIMESTAMP_ASC"}
    lines: list[dict[str, Any]] = []
    while page := ask(f"{api}/logs/filter", wanted | {"limit": 200, "offset": len(lines)}):
        lines += page
    return [line["message"] for line in lines if logger in {None, line["name"]}]
