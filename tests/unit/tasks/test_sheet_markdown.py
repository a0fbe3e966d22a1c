"""The artifact of a run begins with its sheet, and each picture is one link away."""

import io
import re
from dataclasses import replace

import pytest
from PIL import Image
from prefect.settings import PREFECT_API_URL, temporary_settings

from storycanvas.faces.reports.steps import FaceRunReport
from storycanvas.faces.sheets.contact_sheet import SheetEntry, contact_sheet, pages
from tasks.faces.reporting.sheet import (
    MAX_INLINE_BYTES,
    artifact_page,
    inline_sheet,
    sheet_markdown,
)

ROWS = [
    [
        SheetEntry("base (30)", "input", b"a picture", warnings=("The face is [small].",)),
        SheetEntry("age 45", "failed", None),
    ],
    [SheetEntry("age 60", "done", b"a picture", measured="asked 60, read 48")],
]
EMPTY = [[replace(entry, picture=None) for entry in row] for row in ROWS]
PAGE = contact_sheet(EMPTY)
SERVER = "http://127.0.0.1:9003/local"


def test_the_sheet_comes_first_and_opens_in_full_size() -> None:
    text = sheet_markdown(ROWS, PAGE, [f"{SERVER}/sheet.jpg"], {"base (30)": f"{SERVER}/base.png"})

    sheet, links = text.split("\n\n")
    assert sheet.startswith(r"[![Contact sheet. Row 1: base \(30\)")
    assert "](data:image/jpeg;base64," in sheet
    assert sheet.endswith(f")]({SERVER}/sheet.jpg)")
    assert f"[base (30)]({SERVER}/base.png)" in links
    assert f"[whole sheet]({SERVER}/sheet.jpg)" in links


def test_the_text_of_the_sheet_says_what_each_of_its_pictures_shows() -> None:
    text = sheet_markdown(ROWS, PAGE, [], {})

    said, _ = text.removeprefix("![").split("](data:")
    assert re.sub(r"\\(.)", r"\1", said) == (
        "Contact sheet. Row 1: base (30), input. Warning: The face is [small]. "
        "age 45, failed, no picture. Row 2: age 60, done, asked 60, read 48."
    )


def test_what_a_browser_cannot_open_is_no_link() -> None:
    text = sheet_markdown(
        ROWS, PAGE, ["s3://bucket/sheet.jpg"], {"base (30)": "s3://bucket/base.png"}
    )

    assert "](s3:" not in text
    assert "```\ns3://bucket/sheet.jpg\n```" in text


def test_a_sheet_that_could_not_be_stored_is_shown_without_a_link() -> None:
    text = sheet_markdown(ROWS, PAGE, [], {"base (30)": f"{SERVER}/base.png"})

    assert text.startswith("![Contact sheet. ")
    assert text.endswith(f"Open in full size: [base (30)]({SERVER}/base.png)")
    assert "```" not in sheet_markdown(ROWS, PAGE, [], {})


@pytest.mark.parametrize(
    ("api", "page"),
    [
        ("http://127.0.0.1:4200/api", "http://127.0.0.1:4200/v2/artifacts/artifact/7"),
        (
            "https://api.prefect.cloud/api/accounts/1/workspaces/2",
            "https://app.prefect.cloud/account/1/workspace/2/artifacts/artifact/7",
        ),
        (None, None),
    ],
)
def test_the_page_is_that_of_the_ui_which_opens_by_default(
    api: str | None, page: str | None
) -> None:
    with temporary_settings({PREFECT_API_URL: api}):
        assert artifact_page(7) == page


@pytest.mark.parametrize(
    ("page", "sheet", "sentence"),
    [
        ("http://ui/7", "file:///a.jpg", "Done. Contact sheet: http://ui/7"),
        (None, "file:///a.jpg", "Done. Contact sheet: file:///a.jpg"),
        (None, None, "Done."),
    ],
)
def test_a_sentence_about_a_run_ends_with_the_link_to_its_sheet(
    page: str | None, sheet: str | None, sentence: str
) -> None:
    report = FaceRunReport(
        flow="age-progression",
        character_id="mira",
        engine="preview 1",
        host="http://127.0.0.1:9002",
        steps=(),
        contact_sheet=sheet,
        contact_sheet_page=page,
    )

    assert report.with_link("Done.") == sentence


def test_of_a_long_sheet_the_first_page_is_shown_and_the_others_are_linked() -> None:
    rows = [[SheetEntry(f"picture {n}", "done", None)] for n in range(100)]
    links = {f"picture {n}": f"{SERVER}/{n}.png" for n in range(100)}
    addresses = [f"{SERVER}/page{n}.jpg" for n in (1, 2, 3)]

    text = sheet_markdown(rows, contact_sheet(pages(rows)[0]), addresses, links)

    assert [f"[page {n}]({SERVER}/page{n}.jpg)" in text for n in (1, 2, 3)] == [True] * 3
    assert f"[picture 47]({SERVER}/47.png)" in text
    assert "picture 48" not in text


def test_a_page_of_noise_is_as_small_as_an_artifact_takes_it() -> None:
    noise = io.BytesIO()
    Image.effect_noise((512, 512), 200).convert("RGB").save(noise, "PNG", compress_level=1)
    page = contact_sheet([[SheetEntry("noise", "done", noise.getvalue())] * 6] * 8)

    assert len(page) > MAX_INLINE_BYTES
    assert len(inline_sheet(page)) <= MAX_INLINE_BYTES
