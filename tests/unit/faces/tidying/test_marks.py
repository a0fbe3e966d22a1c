"""A contact sheet tells whose it is, and looks the same."""

import io

import pytest
from PIL import Image

from storycanvas.faces.sheets.contact_sheet import SheetEntry, contact_sheet, cut_out
from storycanvas.faces.sheets.marks import MARKED_WITHIN, mark_of, with_mark


@pytest.fixture
def sheet() -> bytes:
    cut = cut_out(Image.effect_noise((64, 64), 50).convert("RGB"), None)
    return contact_sheet([[SheetEntry("picture", "input", cut)]])


@pytest.mark.parametrize("character", ["mira", "", "日本 \x00", "a" * 200])
def test_the_mark_is_read_from_the_first_bytes_and_changes_no_pixel(
    sheet: bytes, character: str
) -> None:
    marked = with_mark(sheet, character)

    assert mark_of(marked[:MARKED_WITHIN]) == character
    with Image.open(io.BytesIO(sheet)) as before, Image.open(io.BytesIO(marked)) as after:
        assert before.tobytes() == after.tobytes()
        assert after.info["jfif"]


def test_a_run_without_a_character_is_told_from_a_sheet_without_a_mark(sheet: bytes) -> None:
    assert mark_of(with_mark(sheet, None)) == ""
    assert mark_of(sheet) is None


@pytest.mark.parametrize("data", [b"", b"\xff", b"\xff\xd8", b"\xff\xd8\xff\xfe\x00", b"\x89PNG"])
def test_what_is_no_sheet_has_no_mark(data: bytes) -> None:
    assert mark_of(data) is None
