"""What an artist and an operator see in the Prefect UI: forms, runs, pictures, refusals."""

import re
import time
from http import HTTPStatus
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from db.connection import connect, reading_anything
from deployments.forms import form_schema
from deployments.sample import CHARACTER_ID as CHARACTER
from deployments.stack import Stack
from flows.age_progression import age_progression
from storycanvas.faces.client.host_client import FaceHostClient
from storycanvas.faces.operations import EnhancementModel
from storycanvas.services.ports import ask
from tests.support.db.database_state import documents, shape
from tests.support.flows.hosts import REFUSED_AGE
from tests.support.flows.prefect_pages import PrefectPages, Start, log_lines, wait_for_run
from tests.support.flows.run_form import RunForm

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

MAINTENANCE = (
    "init-db",
    "migrate-db",
    "migrate-characters",
    "audit-db",
    "purge-deleted",
    "import-couple-swap",
    "seed-inference-configurations",
)
SIZES = pytest.mark.parametrize("width", [1400, 1000])


def count_runs(api: str) -> int:
    count: int = ask(f"{api}/flow_runs/count", {})
    return count


def open_sheet(ui: PrefectPages, run_id: str) -> Page:
    """Open a run's contact sheet with one click on the run's page."""
    ui.open_run(run_id)
    with ui.page.expect_popup() as opened:
        ui.link_to_sheet().click()
    return opened.value


def content_type(link: Locator) -> str:
    """Click a link and tell what its address gives."""
    address = link.get_attribute("href")
    with link.page.context.expect_event("response", lambda got: got.url == address) as got:
        link.click()
    assert got.value.status == HTTPStatus.OK
    return str(got.value.headers["content-type"])


def is_as_wide_as_the_window(page: Page) -> bool:
    fits: bool = page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    return fits


def sentences_of(properties: dict[str, Any]) -> dict[str, str]:
    """The sentence of each field by its name, of a field in a group by its title."""
    sentences = {name: field["description"] for name, field in properties.items()}
    for group in properties.values():
        for field in group.get("properties", {}).values():
            sentences[field["title"]] = field["description"]
    return sentences


@SIZES
def test_every_field_is_flat_and_says_in_a_sentence_what_it_is(
    ui: PrefectPages, width: int
) -> None:
    properties = form_schema(age_progression.parameters.model_dump())["properties"]
    ui.page.set_viewport_size({"width": width, "height": 1000})

    ui.open_form("age-progression")

    assert ui.descriptions() == sentences_of(properties)
    assert is_as_wide_as_the_window(ui.page)


def test_the_form_of_the_older_ui_has_the_same_sentences(page: Page, api: str) -> None:
    properties = form_schema(age_progression.parameters.model_dump())["properties"]

    form = RunForm.open(page, api.removesuffix("/api"))

    # The fields of a group are drawn one after another, and move those that follow.
    expect(form.fields).to_have_count(len(sentences_of(properties)))
    assert form.descriptions() == sentences_of(properties)


def test_fields_take_what_they_offer_and_an_impossible_age_is_refused_beside_its_field(
    ui: PrefectPages, api: str
) -> None:
    before = count_runs(api)
    ui.open_form("age-progression")

    ui.field("enhance").get_by_role("button", name="Select enhance").click()
    models = [model.value for model in EnhancementModel]
    expect(ui.page.get_by_role("option")).to_have_text(["as preferred", "none", *models])
    ui.page.keyboard.press("Escape")

    base_age = ui.field("base_age").get_by_role("spinbutton")
    base_age.fill("30")
    base_age.fill("")
    expect(base_age).to_have_value("")

    ui.field("character_id").get_by_role("textbox").fill(CHARACTER)
    ui.type_ages(140)
    ui.press_submit()
    age = ui.field("ages").get_by_role("spinbutton")
    assert "less than or equal to 100" in age.evaluate("box => box.validationMessage")
    assert count_runs(api) == before


def test_a_run_has_a_readable_name_and_a_step_for_each_picture(ui: PrefectPages, run: str) -> None:
    ui.open_run(run)

    expect(ui.page.get_by_text("Completed", exact=True).first).to_be_visible()
    expect(
        ui.page.get_by_text("age-progression · Astronaut · 40–60", exact=True).first
    ).to_be_visible()
    ui.open_tab("Task Runs")
    for step in ("age 40", "enhance age 40", "age 60", "enhance age 60"):
        expect(ui.page.get_by_role("link", name=step, exact=True)).to_be_visible()


def test_the_progress_of_a_run_ends_at_100_percent(ui: PrefectPages, run: str) -> None:
    ui.open_run(run)
    ui.open_tab("Artifacts")

    ui.page.get_by_role("link").filter(has_text=f"{CHARACTER}-progress").first.click()

    expect(ui.page.get_by_text("100%").first).to_be_visible()


@SIZES
def test_the_sheet_is_a_click_from_the_run_and_a_picture_a_click_from_the_sheet(
    ui: PrefectPages, run: str, width: int
) -> None:
    ui.page.set_viewport_size({"width": width, "height": 1000})
    sheet = open_sheet(ui, run)
    sheet.set_viewport_size({"width": width, "height": 1000})

    picture = sheet.get_by_role("img", name="contact sheet")
    expect(picture).to_be_visible()
    expect(picture).to_have_js_property("complete", value=True)
    assert picture.evaluate("image => image.naturalWidth") >= 3 * 320
    box = picture.bounding_box()
    assert box is not None
    assert box["width"] / 3 > 200
    assert box["y"] < 300, "the sheet does not come first"
    assert content_type(sheet.get_by_role("link", name="age 60", exact=True)) == "image/png"
    sheet.close()


def test_each_line_of_a_step_in_the_log_begins_with_its_name(api: str, run: str) -> None:
    found = {"flow_runs": {"id": {"any_": [run]}}}
    steps = tuple(f"{task['name']}: " for task in ask(f"{api}/task_runs/filter", found))

    lines = log_lines(api, run, "prefect.task_runs")

    assert len(lines) >= len(("age 40", "enhance age 40", "age 60", "enhance age 60"))
    assert [line for line in lines if not line.startswith(steps)] == []
    noise = ("Finished in state Completed()", "hook")
    assert [line for line in lines if any(word in line for word in noise)] == []


def test_a_typo_ends_a_run_with_its_sentence(ui: PrefectPages, api: str, start: Start) -> None:
    run_id = start("age-progression", character_id="sample-astronaux", ages=[40])

    state = wait_for_run(api, run_id)["state"]

    sentence = "There is no character 'sample-astronaux' in the database"
    assert (state["name"], sentence in state["message"]) == ("Failed", True)
    deadline = time.monotonic() + 30
    while sentence not in " ".join(lines := log_lines(api, run_id)):
        assert time.monotonic() < deadline, lines  # lines are sent in batches, also after the end
        time.sleep(0.5)
    assert [line for line in lines if "Traceback" in line or ".py" in line] == []
    ui.open_run(run_id)
    expect(ui.page.get_by_text("Failed", exact=True).first).to_be_visible()
    ui.open_tab("Details")
    expect(ui.page.get_by_text(sentence).first).to_be_visible()


def test_a_partly_failed_run_shows_what_was_made_and_why_the_rest_was_not(
    ui: PrefectPages, partly_failed: str
) -> None:
    sheet = open_sheet(ui, partly_failed)

    expect(sheet.get_by_role("img", name="contact sheet")).to_be_visible()
    expect(sheet.get_by_text("refuses this picture").first).to_be_visible()
    expect(sheet.get_by_role("link", name=f"age {REFUSED_AGE}", exact=True)).to_have_count(0)
    assert content_type(sheet.get_by_role("link", name="age 50", exact=True)) == "image/png"
    sheet.close()


def test_a_cancelled_run_shows_what_was_made_and_does_not_look_broken(
    ui: PrefectPages, api: str, stack: Stack, start: Start
) -> None:
    ages = [*range(20, 70)]  # so long that its end is not near when the page has its log
    asked = {"character_id": CHARACTER, "ages": ages, "enhance": "none"}
    run_id = start("age-progression", **asked)
    wait_for_run(api, run_id, {"RUNNING"})
    ui.open_run(run_id)
    expect(ui.page.get_by_role("log")).to_contain_text("done in")

    with FaceHostClient(stack.environment["FACEFUSION_URL"]) as host:
        ui.cancel_run()
        before = host.status().operations
        assert wait_for_run(api, run_id)["state_type"] == "CANCELLED"
        done = host.status().operations
        # The worker takes a second or two to stop the run, which then begins at most one more.
        assert done <= before + 6
        assert {limit["active_slots"] for limit in limits(api)} == {0}
    expect(ui.page.get_by_text("Cancelled", exact=True).first).to_be_visible()
    broken = ("MongoDB failed", "has been closed", "Traceback")
    assert [line for line in log_lines(api, run_id) if any(word in line for word in broken)] == []
    ui.open_tab("Artifacts")
    ui.page.get_by_role("link").filter(has_text=f"{CHARACTER}-contact-sheet").first.click()
    expect(ui.page.get_by_role("img", name="contact sheet")).to_be_visible()
    expect(ui.page.get_by_role("link", name="age 20", exact=True)).to_be_visible()

    report = wait_for_run(api, start("age-progression", **asked))
    reused = int(re.findall(r"(\d+) reused", report["state"]["message"])[0])
    assert report["state_name"] == "Completed"
    assert 0 < reused < len(ages)


def limits(api: str) -> list[dict[str, Any]]:
    """The limits of GPU hosts."""
    found = ask(f"{api}/v2/concurrency_limits/filter", {})
    return [limit for limit in found if limit["name"].startswith("gpu:") and limit["active"]]


def test_a_quick_run_of_maintenance_changes_nothing(
    ui: PrefectPages, api: str, stack: Stack
) -> None:
    with connect(stack.environment["MONGO_URL"], stack.environment["DB_NAME"]).client as client:
        database = reading_anything(client[stack.environment["DB_NAME"]])
        before = documents(database), shape(database)

        runs = {flow: ui.quick_run(flow) for flow in MAINTENANCE}
        states = {flow: wait_for_run(api, run_id)["state"] for flow, run_id in runs.items()}

        assert (documents(database), shape(database)) == before
    # It has nothing to read until a person names a source.
    assert "No source to import is named" in states.pop("import-couple-swap")["message"]
    assert {flow: state["name"] for flow, state in states.items()} == dict.fromkeys(
        states, "Completed"
    )
