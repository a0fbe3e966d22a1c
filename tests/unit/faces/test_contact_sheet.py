"""The contact sheet shows base and results side by side, around the face."""

import io

import pytest
from PIL import Image

from storycanvas.faces.pictures.contact_sheet import SheetEntry, contact_sheet
from tasks.faces.sheet import INLINE_CELL

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


@pytest.mark.parametrize("face", [(0, 0, 20, 20), (180, 180, 20, 20), (0, 0, 200, 200)])
def test_a_face_at_the_edge_is_shown_too(face: tuple[int, int, int, int]) -> None:
    assert drawn([SheetEntry("a", "done", picture(), face)]).width > 0


def test_a_missing_result_leaves_its_cell_empty() -> None:
    sheet = drawn([SheetEntry("age 45", "failed", None)])

    assert share_of_green(sheet) == 0


def test_a_sheet_without_pictures_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="at least one"):
        contact_sheet([[]])
