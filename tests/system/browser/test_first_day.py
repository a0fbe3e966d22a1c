"""An artist's first day: from `make up` to a ZIP file, with nothing but Prefect's pages.

Only the other run, for which the artist's waits, is not started there: a slot is held as it would.

The pictures of docs/first-day.md are screenshots of this test: FIRST_DAY_PICTURES names the folder
that they are written to.
"""

import io
import json
import os
import re
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, ViewportSize, expect
from prefect.settings import PREFECT_API_URL, temporary_settings

from blocks.face_host import FaceHost
from storycanvas.gpu.guard.dispatcher import Dispatcher
from tests.support.flows.prefect_pages import PrefectPages, wait_for_run
from tests.support.guard.slots import holding
from tests.system.test_local_stack import NAMED, command

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]
SIZE: ViewportSize = {"width": 1280, "height": 900}
OPEN = "Further steps depend on the age that the host will see."
RESULTS = "1 result of face flows, as of"


@pytest.fixture(scope="module")
def started(
    tmp_path_factory: pytest.TempPathFactory, for_many_runs: Callable[[Path], Path]
) -> Iterator[dict[str, str]]:
    """The addresses that `make up` prints, by what they are of."""
    state_dir = for_many_runs(tmp_path_factory.mktemp("first-day") / "state")
    with pytest.MonkeyPatch.context() as environment:
        for variable in NAMED:
            environment.delenv(variable, raising=False)
        up = command("up", state_dir)
        assert up.returncode == 0, up.stderr
        yield dict(re.findall(r"^  (\S.*?) +(http://\S+)", up.stdout, re.MULTILINE))
        command("down", state_dir)


class Day:
    """What an artist does with the mouse, from Prefect's start page on."""

    def __init__(self, page: Page, address: str) -> None:
        page.set_viewport_size(SIZE)
        self.page = page
        self.address = address
        self.pages = PrefectPages(page, f"{address}/api")
        self._folder = os.environ.get("FIRST_DAY_PICTURES")

    def picture(self, name: str) -> None:
        if self._folder:
            self.page.wait_for_timeout(1000)  # until what moves stands still
            self.page.screenshot(path=Path(self._folder) / f"{name}.png")

    def open_form(self, flow: str) -> None:
        self.page.goto(self.address)
        self.page.get_by_role("link", name="Deployments", exact=True).first.click()
        self.page.get_by_role("textbox", name="Search deployments").fill(flow)
        found = self.page.get_by_role("cell").get_by_role("link", name=flow, exact=True).first
        # Opened by its address: what is typed changes that of the list a moment later, and a click
        # before that is undone (Prefect 3.9.1).
        self.page.goto(f"{self.address}{found.get_attribute('href')}")
        self.page.get_by_role("button", name="Run", exact=True).click()
        self.page.get_by_role("menuitem", name="Custom run").click()
        expect(self.pages.fields.first).to_be_visible()

    def submit(self) -> str:
        """Submit the form, and open the run by the message that follows."""
        run_id = self.pages.submit()
        self.page.get_by_role("button", name="View run").click()
        return run_id

    def wait_until(self, state: str) -> None:
        expect(self.page.get_by_text(state, exact=True).first).to_be_visible()

    def open_artifact(self, ending: str) -> None:
        self.page.reload()  # the graph of a run that goes on may lie over the tabs (Prefect 3.9.1)
        self.pages.open_tab("Artifacts")
        self.page.get_by_role("link").filter(has_text=ending).first.click()

    @contextmanager
    def opened_by(self, link: str | re.Pattern[str], url: str) -> Iterator[Page]:
        """Follow a link, and come back."""
        here = self.page.url
        self.page.get_by_role("link", name=link, exact=True).first.click()
        self.page.wait_for_url(url)
        yield self.page
        self.page.goto(here)


def test_from_make_up_to_the_pictures_in_a_zip(page: Page, started: dict[str, str]) -> None:
    day = Day(page, started["Prefect UI"])

    find_the_character(day)
    look_before_paying(day)
    make_and_review(day, started["face host"])
    look_and_take_away(day)
    show_the_gallery(day)


def find_the_character(day: Day) -> None:
    day.open_form("find-characters")
    day.pages.type_into("text", "astro")
    day.submit()
    day.wait_until("Completed")
    day.open_artifact("find-characters-pictures")
    shown = day.page.get_by_role("img", name="first reference image of Astronaut")
    expect(shown).to_be_visible()
    assert shown.evaluate("image => image.naturalWidth") > 0
    day.picture("find")


def look_before_paying(day: Day) -> None:
    day.open_form("age-progression")
    fill_in(day, "dry_run")
    day.picture("form")
    day.submit()
    day.wait_until("Completed")
    day.open_artifact("plan")
    expect(day.page.get_by_text(OPEN).first).to_be_visible()
    day.picture("plan")


@contextmanager
def another_run(day: Day, host: str) -> Iterator[None]:
    """Hold the slot of the host, in a thread: that of the page has an event loop."""
    limit = FaceHost(url=host).limit_name
    with (
        temporary_settings({PREFECT_API_URL: day.pages.api}),
        Dispatcher() as guard,
        holding(guard, limit, "another run"),
    ):
        yield


def make_and_review(day: Day, host: str) -> None:
    day.open_form("age-progression")
    fill_in(day, "review")
    with another_run(day, host):
        run_id = day.submit()
        day.wait_until("Waiting for GPU")
        day.pages.open_tab("Details")
        day.page.get_by_text("1 before you").first.scroll_into_view_if_needed()
        day.picture("wait")
    day.wait_until("Suspended")
    form = day.pages.open_review(run_id)
    expect(form.get_by_role("link", name="Contact sheet")).to_be_visible()
    day.picture("review")
    day.pages.answer_review(form, "enhance age 25", "Too young for the scene.")
    ended = wait_for_run(day.pages.api, run_id)
    # The run has the sheet of the review, too; its message names the one of the end.
    [sheet] = re.findall(r"http\S+/artifact/[0-9a-f-]{36}", ended["state"]["message"])
    day.page.goto(sheet)


def look_and_take_away(day: Day) -> None:
    expect(day.page.get_by_text("4 steps: 3 reused, 1 rejected").first).to_be_visible()
    expect(day.page.get_by_role("img", name=re.compile("Contact sheet.*age 65"))).to_be_visible()
    day.picture("sheet")
    with day.opened_by("age 65", "**/*.png") as full:
        assert full.locator("img").evaluate("image => image.naturalWidth") == 512
    with day.opened_by("All results of the character", "**/galleries/**") as gallery:
        expect(
            gallery.get_by_role("img", name=re.compile("Astronaut at age 65")).first
        ).to_be_visible()
        day.picture("gallery")
    with day.page.expect_download() as download:
        day.page.get_by_role("link", name="All pictures, with their settings").click()
    check_archive(download.value.path())


def show_the_gallery(day: Day) -> None:
    """Show it on demand; what was rejected is not among its results."""
    day.open_form("show-gallery")
    day.pages.type_into("character_id", "astronaut")
    day.submit()
    day.wait_until("Completed")
    day.open_artifact("gallery-")
    with day.opened_by(re.compile(r"^All \d+ picture"), "**/galleries/**") as gallery:
        expect(gallery.get_by_text(RESULTS).first).to_be_visible()
        day.picture("shown-gallery")


def fill_in(day: Day, switched_on: str) -> None:
    day.pages.type_into("character_id", "astronaut")
    day.pages.type_ages(25, 65)
    day.pages.field(switched_on).get_by_role("switch").click()


def check_archive(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        assert sum(name.endswith(".png") for name in names) == 3  # one was rejected
        [settings] = [json.loads(archive.read(name)) for name in names if name.endswith(".json")]
        with Image.open(io.BytesIO(archive.read(next(n for n in names if n[-3:] == "png")))) as one:
            assert one.size == (512, 512)
    assert "65" in json.dumps(settings)
