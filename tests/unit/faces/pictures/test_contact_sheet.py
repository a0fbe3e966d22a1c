"""The contact sheet shows base and results side by side, around the face."""

import io

import pytest
from PIL import Image

from storycanvas.faces.sheets.contact_sheet import SheetEntry, contact_sheet, cut_out, pages
from tasks.faces.reporting.sheet import INLINE_CELL
from tests.support.icc import rgb_profile, srgb

RED, GREEN = (255, 0, 0), (0, 255, 0)


def picture() -> bytes:
    """Red, with a green face of 20 pixels at (100, 60)."""
    image = Image.new("RGB", (200, 200), RED)
    image.paste(GREEN, (100, 60, 120, 80))
    buffer = io.BytesIO()
    image.save(buffer, format="PNG")
    return buffer.getvalue()


def drawn(*rows: list[SheetEntry], cell: int = 100) -> Image.Image:
    return Image.open(io.BytesIO(contact_sheet(rows, cell=cell))).convert("RGB")


def share_of_green(sheet: Image.Image) -> float:
    pixels = list(sheet.get_flattened_data())
    return sum(g > 150 and r < 100 for r, g, _ in pixels) / len(pixels)


@pytest.mark.parametrize("lengths", [[1], [3], [3, 1], [2, 3, 2]])
def test_each_row_stands_below_the_one_before(lengths: list[int]) -> None:
    entry = SheetEntry("a", "done", picture())
    cell = drawn([entry])

    sheet = drawn(*[[entry] * length for length in lengths])

    assert sheet.width == pytest.approx(cell.width * max(lengths), abs=12 * max(lengths))
    assert sheet.height == pytest.approx(cell.height * len(lengths), abs=12 * len(lengths))


def test_three_cells_across_have_at_least_320_pixels_each() -> None:
    sheet = drawn([SheetEntry("a", "done", picture())] * 3, cell=INLINE_CELL)

    assert sheet.width >= 3 * 320


def test_a_cell_shows_the_part_around_the_face() -> None:
    whole = drawn([SheetEntry("a", "done", picture())])
    close = drawn([SheetEntry("a", "done", picture(), (100, 60, 20, 20))])

    assert share_of_green(close) > 5 * share_of_green(whole)


def test_a_cell_shows_colours_as_their_profile_means_them() -> None:
    grey = Image.new("RGB", (64, 64), (128, 128, 128))
    grey.info["icc_profile"] = rgb_profile(1.0)
    with Image.open(io.BytesIO(cut_out(grey, None))) as shown:
        seen = shown.getpixel((9, 9))

    assert seen == pytest.approx([srgb(128 / 255)] * 3, abs=2)


def test_a_cell_shows_no_colours_that_transparency_hides() -> None:
    hidden = Image.new("RGBA", (64, 64), (*GREEN, 0))
    with Image.open(io.BytesIO(cut_out(hidden, None))) as shown:
        seen = shown.getpixel((9, 9))

    assert seen == (226, 226, 222)


@pytest.mark.parametrize("face", [(0, 0, 20, 20), (180, 180, 20, 20), (0, 0, 200, 200)])
def test_a_face_at_the_edge_is_shown_too(face: tuple[int, int, int, int]) -> None:
    assert drawn([SheetEntry("a", "done", picture(), face)]).width > 0


def test_a_missing_result_leaves_its_cell_empty() -> None:
    sheet = drawn([SheetEntry("age 45", "failed", None)])

    assert share_of_green(sheet) == 0


def test_a_sheet_without_pictures_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="at least one"):
        contact_sheet([[]])


def test_a_long_sheet_is_cut_into_pages_of_whole_rows() -> None:
    entry = SheetEntry("a", "done", None)
    rows = [[entry] * 5 for _ in range(20)] + [[entry] * 60]

    assert [sum(map(len, page)) for page in pages(rows)] == [45, 45, 10, 60]


def test_a_picture_is_made_when_its_cell_is_drawn() -> None:
    made: list[int] = []

    def make() -> bytes:
        made.append(1)
        return picture()

    entry = SheetEntry("a", "done", make)
    assert made == []
    contact_sheet([[entry]], cell=64)
    assert made == [1]


def ink_below_picture(sheet: Image.Image, left: int, right: int) -> int:
    """How many dark pixels are between two columns, below the pictures of an only row."""
    part = sheet.convert("L").crop((left, 12 + 320 + 4, right, sheet.height))
    return sum(value < 120 for value in part.get_flattened_data())


@pytest.mark.parametrize("measured", ["read 38", "asked 65, read 38 · likeness 0.72 to 0.31"])
def test_what_was_measured_stands_in_a_line_of_its_own_within_the_cell(measured: str) -> None:
    plain, other = SheetEntry("age 65", "done", None), SheetEntry("", "", None)
    cell = SheetEntry("age 65", "done", None, measured=measured)
    without, sheet = drawn([plain, other], cell=320), drawn([cell, other], cell=320)

    assert sheet.height > without.height
    assert ink_below_picture(sheet, 12, 332) > 1.3 * ink_below_picture(without, 12, 332)
    assert ink_below_picture(sheet, 333, sheet.width) == 0


WARNING = "The face in the base picture is 96 x 109 pixels; take a larger one. "


@pytest.mark.parametrize("sentences", [1, 2, 30])
def test_warnings_stand_below_their_picture_and_a_row_is_as_high_as_they_need(
    sentences: int,
) -> None:
    plain = SheetEntry("age 65", "done", None)
    warned = SheetEntry("age 65", "done", None, warnings=(WARNING,) * sentences)
    without, sheet = drawn([plain, plain], cell=320), drawn([warned, plain], cell=320)

    assert without.height < sheet.height <= without.height + 5 * 320 / 22 * 1.25 + 5
    assert ink_below_picture(sheet, 12, 332) > 1.5 * ink_below_picture(without, 12, 332)
    beside = ink_below_picture(without, 344, 664)
    assert ink_below_picture(sheet, 344, 664) == beside
    assert drawn([warned], [plain], cell=320).height == sheet.height + without.height - 12


def test_a_word_that_is_wider_than_its_cell_is_drawn_within_it() -> None:
    cell = SheetEntry("age 65", "done", None, warnings=("pneumono" * 12,))
    sheet = drawn([cell, SheetEntry("", "", None)], cell=320)

    assert ink_below_picture(sheet, 333, sheet.width) == 0
