"""The form behind "Run" and "Custom run", as an artist fills it."""

import re
from http import HTTPStatus
from typing import Self

from playwright.sync_api import Locator, Page, expect

SUBMITS = 5


class RunForm:
    """The run form of the deployment age-progression, open in a page.

    Attributes:
        page: The page that shows it.
        fields: Its fields, in order.
    """

    def __init__(self, page: Page) -> None:
        self.page = page
        self.fields = page.locator(".schema-form-property")

    @classmethod
    def open(cls, page: Page, ui: str) -> Self:
        page.goto(f"{ui}/deployments")
        page.get_by_role("link", name="age-progression").first.click()
        page.get_by_role("button", name="Run", exact=True).click()
        page.get_by_text("Custom run").click()
        form = cls(page)
        expect(form.field("character_id")).to_be_visible()
        return form

    def field(self, name: str) -> Locator:
        label = self.page.locator(".schema-form-property__label")
        return self.fields.filter(has=label.filter(has_text=re.compile(rf"^{name}\b")))

    def descriptions(self) -> dict[str, str]:
        """Read the sentence of each field, by the field's name."""
        return {
            _name(field): field.locator(".schema-form-property__description").inner_text()
            for field in self.fields.all()
        }

    def type_character(self, character_id: str) -> None:
        self.field("character_id").get_by_role("textbox").fill(character_id)

    def type_ages(self, *ages: int) -> None:
        """Leave one row of the list, and add one for each further age."""
        ages_field = self.field("ages")
        rows = ages_field.locator(".p-draggable-list__item")
        boxes = ages_field.get_by_role("spinbutton")
        for left in range(boxes.count() - 1, 0, -1):
            rows.last.get_by_role("button").first.click()
            expect(boxes).to_have_count(left)
        boxes.first.fill(str(ages[0]))
        for row, age in enumerate(ages[1:], start=1):
            ages_field.get_by_role("button", name="Add item").click()
            boxes.nth(row).fill(str(age))

    def choices(self, name: str) -> Locator:
        """Open a field's dropdown by the keyboard."""
        self.field(name).locator(".p-select-button__control").press("Space")
        return self.page.get_by_role("listbox").get_by_role("option")

    def submit(self) -> None:
        self.page.get_by_role("button", name="Submit").click()

    def create_run(self) -> str:
        """Submit, and again where the server was too busy, as its own clients do.

        Returns:
            The id of the run.
        """
        for _attempt in range(SUBMITS):
            with self.page.expect_response("**/create_flow_run") as created:
                self.submit()
            answer = created.value
            if answer.status < HTTPStatus.INTERNAL_SERVER_ERROR:
                break
        assert answer.ok, f"{answer.status}: {answer.text()}"
        run_id: str = answer.json()["id"]
        return run_id


def _name(field: Locator) -> str:
    return field.locator(".schema-form-property__label").inner_text().removesuffix(" (Optional)")
