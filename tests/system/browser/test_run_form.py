"""What an artist sees in the Prefect UI: the form of a run, the run, and its pictures."""

import re

import pytest
from playwright.sync_api import Page, expect

from deployments.forms import form_schema
from deployments.stack import Stack
from flows.age_progression import age_progression
from storycanvas.faces.operations import EnhancementModel
from storycanvas.services.ports import ask
from tests.support.flows.run_form import RunForm

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


def open_tab(page: Page, run_url: str, name: str) -> None:
    page.goto(run_url)
    page.get_by_text(name, exact=True).click()


def open_artifact(page: Page, run_url: str, name: str) -> None:
    open_tab(page, run_url, "Artifacts")
    page.get_by_role("link").filter(has_text=f"age-progression-sample-astronaut-{name}").click()
    page.wait_for_url("**/artifacts/artifact/*")


def count_runs(stack: Stack) -> int:
    count: int = ask(f"{stack.environment['PREFECT_API_URL']}/flow_runs/count", {})
    return count


def test_every_field_is_flat_and_says_in_a_sentence_what_it_is(form: RunForm) -> None:
    properties = form_schema(age_progression.parameters.model_dump())["properties"]

    assert form.descriptions() == {name: field["description"] for name, field in properties.items()}


def test_enhance_is_a_dropdown_of_as_preferred_none_and_the_models(form: RunForm) -> None:
    choices = form.choices("enhance")

    models = [model.value for model in EnhancementModel]
    expect(choices).to_have_text(["as preferred", "none", *models])


def test_an_optional_field_can_be_filled_and_emptied_again(form: RunForm) -> None:
    base_age = form.field("base_age").get_by_role("spinbutton")
    base_age.fill("30")

    base_age.fill("")

    expect(base_age).to_have_value("")


def test_an_impossible_age_is_refused_beside_its_field(form: RunForm, stack: Stack) -> None:
    before = count_runs(stack)
    form.type_character("sample-astronaut")
    form.type_ages(140)

    form.submit()

    expect(form.field("ages")).to_contain_text("140 is greater than the maximum of 100")
    assert count_runs(stack) == before


def test_the_run_makes_the_ages_that_were_typed(page: Page, run_url: str) -> None:
    open_tab(page, run_url, "Task Runs")

    steps = page.get_by_role("link", name=re.compile(r"age \d+$"))
    expect(steps).to_have_count(4)
    names = set(steps.all_inner_texts())
    assert names == {"age 45", "enhance age 45", "age 60", "enhance age 60"}


def test_the_run_completes_under_a_readable_name(page: Page, run_url: str) -> None:
    page.goto(run_url)

    expect(page.get_by_text("Completed", exact=True).first).to_be_visible()
    expect(page.get_by_text("ages [45, 60] of sample-astronaut", exact=True)).to_be_visible()


def test_its_progress_ends_at_100_percent(page: Page, run_url: str) -> None:
    open_artifact(page, run_url, "progress")

    expect(page.get_by_text("Progress: 100%")).to_be_visible()


def test_its_contact_sheet_is_a_picture_that_the_page_shows(page: Page, run_url: str) -> None:
    open_artifact(page, run_url, "contact-sheet")

    sheet = page.get_by_role("img", name="contact sheet")
    expect(sheet).to_be_visible()
    expect(sheet).to_have_js_property("complete", value=True)
    assert sheet.evaluate("image => image.naturalWidth") > 0
