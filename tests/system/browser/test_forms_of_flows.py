"""Every flow on pictures, presets and characters is started once from its form."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from db.connection import connect
from deployments.sample import CHARACTER_ID, PORTRAIT, PROJECT_ID, TARGET
from deployments.stack import Stack
from storycanvas.services.ports import ask
from tests.support.flows.prefect_pages import PrefectPages, wait_for_run

pytestmark = [pytest.mark.browser, pytest.mark.timeout(1200)]

AT_A_TIME = 3

CHARACTER = {"character_id": CHARACTER_ID}
FORMS: dict[str, dict[str, str]] = {
    "enhance-faces": CHARACTER,
    "compare-enhancers": CHARACTER,
    "edit-expression": {**CHARACTER, "face_editor_mouth_smile": "60"},
    "mask-face": CHARACTER,
    "detect-faces": CHARACTER,
    "enhance-then-swap": {**CHARACTER, "target_image": str(TARGET)},
    "face-chain": {**CHARACTER, "chain": "enhance-and-age", "values": "target_age: 70\n"},
    "batch-process": {
        **CHARACTER,
        "operations": "- {type: enhance}\n- {type: age_adjust, target_age: 45}\n",
    },
    "for-characters": {"project_id": PROJECT_ID, "parameters": "ages: [45]\nenhance: none"},
    "find-characters": {"text": "astro"},
    "learn-preferences": CHARACTER,
    "rank-references": CHARACTER,
    "audit-likeness": CHARACTER,
    "show-gallery": CHARACTER,
    "trace-picture": {"picture": str(PORTRAIT)},
    "save-preset": {
        "name": "soft",
        "operation_type": "enhance",
        "parameters": "face_enhancer_blend: 0.5",
    },
    "list-presets": {},
    "couple-face-swap": {
        "template_image": str(TARGET),
        "husband_picture": str(PORTRAIT),
        "face_mappings": "- {source_photo: husband, target_face_index: 0}\n",
    },
    "submit-job": {"job_type": "detect", "input_data": f"image_url: {TARGET}"},
    "process-jobs": {},
    "process-faceswap-tasks": {},
    "manage-jobs": {},
    "delete-story": {"document_id": PROJECT_ID},
    "restore-story": {"document_id": PROJECT_ID},
    "list-deleted": {},
    "tidy-pictures": {},
}
"""What is typed into the form of each flow; `review` is switched on in test_first_day.py."""
OF_BINNED = {"id": {"$regex": "^binned-"}}
WITHOUT_A_SHEET = (
    *("rank-references", "audit-likeness", "trace-picture", "show-gallery", "find-characters"),
    *("learn-preferences", "save-preset", "list-presets", "submit-job", "manage-jobs"),
    *("process-jobs", "process-faceswap-tasks"),
    *("delete-story", "restore-story", "list-deleted", "tidy-pictures"),
)
WITH_A_SHEET = FORMS.keys() - {*WITHOUT_A_SHEET}


@pytest.fixture(scope="module")
def runs(browser: BrowserContext, api: str) -> dict[str, str]:
    """The ids of runs that were started from the forms, one after another.

    Few run at a time: each is a process of its own, and twenty leave the browser no time.
    """
    started: dict[str, str] = {}
    with browser.new_page() as page:
        ui = PrefectPages(page, api)
        for flow, fields in FORMS.items():
            ui.open_form(flow)
            for name, text in fields.items():
                ui.type_into(name, text)
            if len(started) >= AT_A_TIME:
                wait_for_run(api, [*started.values()][-AT_A_TIME])
            started[flow] = ui.submit()
    return started


@pytest.mark.parametrize("flow", sorted(FORMS))
def test_a_form_that_was_filled_in_starts_a_run_that_ends_well(
    api: str, runs: dict[str, str], flow: str
) -> None:
    state = wait_for_run(api, runs[flow])["state"]

    assert state["name"] == "Completed", state["message"]


@pytest.mark.parametrize("flow", sorted(WITH_A_SHEET))
def test_its_contact_sheet_is_on_a_page_of_the_ui(
    page: Page, api: str, runs: dict[str, str], flow: str
) -> None:
    wait_for_run(api, runs[flow])

    page.goto(next(sheets(api, runs[flow])))

    picture = page.get_by_role("img", name="contact sheet")
    expect(picture).to_be_visible()
    expect(picture).to_have_js_property("complete", value=True)
    assert picture.evaluate("image => image.naturalWidth") >= 320


def test_a_project_is_deleted_and_restored_from_the_forms(
    ui: PrefectPages, api: str, stack: Stack
) -> None:
    """With 3 scenes and 30 clips; `dry_run` is switched off in the form."""
    scenes = [f"binned-{number}" for number in range(3)]
    with connect(stack.environment["MONGO_URL"], stack.environment["DB_NAME"]).client as client:
        database = client[stack.environment["DB_NAME"]]
        database["projects"].insert_one({"id": "binned", "name": "Binned"})
        database["scenes"].insert_many(
            [{"id": scene, "project_id": "binned", "name": scene} for scene in scenes]
        )
        database["clips"].insert_many(
            [{"id": f"{scene}-{n}", "scene_id": scene} for scene in scenes for n in range(10)]
        )
        messages, left = [], []
        for flow in ("delete-story", "restore-story"):
            ui.open_form(flow)
            ui.type_into("document_id", "binned")
            ui.field("dry_run").get_by_role("switch").click()
            messages.append(wait_for_run(api, ui.submit())["state"]["message"])
            left.append(database["clips"].count_documents({"deleted_at": None, **OF_BINNED}))

    assert "1 project, 3 scenes, 30 clips deleted." in messages[0]
    assert "1 project, 3 scenes, 30 clips restored." in messages[1]
    assert left == [0, 30]


def sheets(api: str, run_id: str) -> Iterator[str]:
    wanted = {"artifacts": {"flow_run_id": {"any_": [run_id]}}}
    for artifact in ask(f"{api}/artifacts/filter", wanted):
        if artifact["key"].endswith("contact-sheet"):
            yield f"{api.removesuffix('/api')}/v2/artifacts/artifact/{artifact['id']}"
