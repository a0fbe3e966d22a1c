"""The form behind "Run" and "Custom run" in Prefect's older UI."""

import re
from typing import Self

from playwright.sync_api import Locator, Page, expect


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
            _name(field): field.locator(".schema-form-property__description").first.inner_text()
            for field in self.fields.all()
        }


def _name(field: Locator) -> str:
    label = field.locator(".schema-form-property__label").first
    return label.inner_text().removesuffix(" (Optional)")
