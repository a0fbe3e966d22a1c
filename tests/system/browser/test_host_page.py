"""What an operator sees at `/` and `/docs` of a face host, without a network."""

import io
from collections.abc import Iterator

import httpx
import pytest
from PIL import Image
from playwright.sync_api import (
    BrowserContext,
    ConsoleMessage,
    Locator,
    Page,
    Request,
    Route,
    expect,
)

from storycanvas.faces.operations import OPERATIONS, EnhancementModel
from tests.support.flows.browser import open_browser
from tests.support.host.started_host import StartedHost
from tests.support.paths import ROOT

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]

TOKEN = "browser-made-up-token-\u00fc"  # noqa: S105 - made up
PORTRAIT = ROOT / "samples" / "portrait.png"
EVERY_FIELD_IS_LABELLED = """
[...document.querySelectorAll("#form input, #form select")].every(
    (field) => field.labels.length > 0 && field.labels[0].textContent.trim() !== "")
"""
COUNT_PICTURES = """
window.kept = 0;
const { createObjectURL, revokeObjectURL } = URL;
URL.createObjectURL = (blob) => { window.kept += 1; return createObjectURL(blob); };
URL.revokeObjectURL = (address) => { window.kept -= 1; revokeObjectURL(address); };
"""
FITS = "document.documentElement.scrollWidth <= window.innerWidth"


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartedHost]:
    started = StartedHost(tmp_path_factory.mktemp("host"), token=TOKEN)
    yield started
    started.kill()


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrowserContext]:
    """A browser that gives the token where it is asked for a password."""
    known = {"username": "operator", "password": TOKEN}
    with open_browser(tmp_path_factory.mktemp("chromium"), http_credentials=known) as context:
        yield context


@pytest.fixture
def page(browser: BrowserContext, host: StartedHost) -> Iterator[Page]:
    """The host's page, on which no script fails and nothing elsewhere is asked for."""
    wrong: list[str] = []
    with browser.new_page() as opened:
        opened.on("console", lambda line: wrong.append(line.text) if is_fault(line) else None)
        opened.on("pageerror", lambda error: wrong.append(str(error)))
        opened.on("requestfailed", lambda sent: wrong.append(sent.url) if is_failed(sent) else None)
        opened.goto(host.url)
        yield opened
    assert wrong == []


def is_fault(line: ConsoleMessage) -> bool:
    """Whether a line of the console is more than the answer to a request."""
    return line.type == "error" and "responded with a status of 400" not in line.text


def is_failed(request: Request) -> bool:
    """Whether a request failed otherwise than by its page being left: the state is asked often."""
    return request.failure != "net::ERR_ABORTED"


def is_shown(picture: Locator) -> bool:
    expect(picture).to_be_visible()
    expect(picture).to_have_js_property("complete", value=True)
    return bool(picture.evaluate("image => image.naturalWidth > 100"))


def test_state_and_form_are_those_of_the_host(page: Page) -> None:
    expect(page.locator("#badge")).to_have_text("ok")
    expect(page.locator("#state")).to_contain_text("preview 3, in-process")
    expect(page.locator("#gpu")).to_contain_text("cpu")
    options = page.get_by_label("Operation", exact=True).locator("option")
    expect(options).to_have_text([operation.path for operation in OPERATIONS])
    models = page.get_by_label("Face enhancer model").locator("option")
    expect(models).to_have_text([model.value for model in EnhancementModel])
    held: list[Route] = []
    page.route("**/engine/unload*", lambda route: held.append(route))  # noqa: PLW0108 - is marked
    page.get_by_role("button", name="Give its memory back").click()
    for move in ("#load", "#unload"):
        expect(page.locator(move)).to_be_disabled()
    held[0].continue_()
    expect(page.locator("#moved")).to_have_text("Done.")
    for move in ("#load", "#unload"):
        expect(page.locator(move)).to_be_enabled()
    for operation in OPERATIONS:
        page.get_by_label("Operation", exact=True).select_option(operation.path)
        assert page.evaluate(EVERY_FIELD_IS_LABELLED)
        assert page.locator("#pictures input").count() == len(operation.pictures)


def test_an_uploaded_picture_is_worked_on_and_shown_before_and_after(page: Page) -> None:
    page.get_by_label("Operation", exact=True).select_option("adjust-face")
    page.get_by_label("Source path").set_input_files(PORTRAIT)
    page.get_by_label("Face editor age").fill("70")
    page.get_by_label("Face editor age").press("Enter")  # as by keyboard alone

    expect(page.locator("#progress")).to_contain_text("Adjust-face succeeded.")
    assert is_shown(page.get_by_alt_text("The picture before the operation"))
    assert is_shown(page.get_by_alt_text("The picture after the operation"))
    expect(page.locator("#answer")).to_contain_text("estimated_age")
    row = page.locator("#ended tbody tr").first
    expect(row).to_contain_text("adjust-face")
    expect(row).to_contain_text("succeeded")
    assert is_shown(row.get_by_role("img"))

    page.reload()
    row.get_by_role("button", name="Show the result of adjust-face").click()
    assert is_shown(row.get_by_role("img"))


def test_what_waits_is_shown_and_cancelled(page: Page, host: StartedHost) -> None:
    host.client.headers = httpx.Headers({b"Authorization": b"Bearer " + TOKEN.encode()})
    photo = io.BytesIO()
    with Image.open(PORTRAIT) as portrait:
        portrait.resize((3000, 3000)).save(photo, "PNG", compress_level=1)
    picture = host.upload(photo.getvalue())  # takes long enough for the page to be used meanwhile
    before = [
        host.client.post(
            "adjust-face",
            json={"source_path": picture, "face_editor_age": age},
            headers={"Prefer": "respond-async"},
        ).json()["id"]
        for age in range(20, 32)
    ]
    page.get_by_label("Operation", exact=True).select_option("mask-face")
    page.get_by_label("Source path").set_input_files(PORTRAIT)
    page.get_by_role("button", name="Start").click()

    expect(page.locator("#queue")).to_contain_text("running")
    expect(page.locator("#queue tr", has_text="mask-face")).to_contain_text("waiting")
    page.route("**/operations/*", refuse_to_cancel)
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("#cancel-problem")).to_have_text("The disk is full.")
    page.unroute("**/operations/*")
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("#progress")).to_contain_text("Mask-face cancelled.")
    for operation in before:
        host.client.delete(f"operations/{operation}")
    expect(page.locator("#queue-empty")).to_be_visible()


def refuse_to_cancel(route: Route) -> None:
    if route.request.method != "DELETE":
        route.fallback()
        return
    route.fulfill(status=400, json={"error": {"message": "The disk is full."}})


def test_the_newest_thirty_pictures_are_kept(page: Page) -> None:
    ended = {"operation": "adjust-face", "state": "succeeded", "outcome": "succeeded"}
    times = {"ended_at": "2026-01-01T00:00:00Z", "seconds": 1.0, "engine_seconds": 1.0}
    rows = [ended | times | {"output_path": f"asset:{number}"} for number in range(32)]
    page.route("**/page/activity", lambda route: route.fulfill(json={"open": [], "ended": rows}))
    page.route("**/assets/*", lambda route: route.fulfill(path=PORTRAIT))
    page.add_init_script(COUNT_PICTURES)
    page.reload()
    shows = page.get_by_role("button", name="Show the result of adjust-face")
    expect(shows).to_have_count(32)
    for left in range(31, -1, -1):
        shows.first.click()
        expect(shows).to_have_count(left)
    assert page.evaluate("kept") == 30
    rows.pop()  # the table is made anew, and shows what is kept
    expect(shows).to_have_count(2)


def test_what_comes_from_elsewhere_is_text(page: Page) -> None:
    page.get_by_label("Operation", exact=True).select_option("swap-face")
    for field in ("Source face path", "Target image path"):
        page.get_by_label(field).set_input_files(PORTRAIT)
    odd = "<img src=x onerror=alert(1)>"
    page.get_by_label("Face swapper pixel boost").fill(odd)
    with page.expect_response("**/swap-face") as refused:
        page.get_by_role("button", name="Start").click()
    assert refused.value.status == 400
    expect(page.locator("#progress")).to_contain_text(odd)
    assert page.locator("img[src=x]").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_phone_in_light_and_dark(page: Page, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.set_viewport_size({"width": 360, "height": 740})
    expect(page.locator("#badge")).to_have_text("ok")
    page.get_by_text("Which face", exact=True).click()
    assert page.evaluate(FITS)
    brightness = "parseInt(getComputedStyle(document.body).backgroundColor.match(/\\d+/)[0])"
    assert (page.evaluate(brightness) < 100) is (scheme == "dark")


def test_the_api_is_shown_and_tried_without_a_network(page: Page) -> None:
    page.get_by_role("link", name="API").click()
    expect(page.get_by_role("heading", name="StoryCanvas face host")).to_be_visible()
    listed = page.locator(".opblock", has=page.get_by_text("/api/v1/operations", exact=True))
    listed.locator("button.opblock-summary-control").click()
    listed.get_by_role("button", name="Try it out").click()
    listed.get_by_role("button", name="Execute").click()
    expect(listed.locator(".live-responses-table td.response-col_status").last).to_have_text("200")
