"""The contact sheet shows base and results side by side, around the face."""

import io

import pytest
from PIL import Image

from storycanvas.faces.pictures.contact_sheet import SheetEntry, contact_sheet

RED, GREEN = (255, 0, 0), (0, 255, 0)


def picture() -> bytes:
    """Red, with a green face of 20 pixels at (100, 60)."""
    image = Image.new("RGB", (200, 200), RED)
    image.paste(GREEN, (100, 60, 120, 80))
    buffer = io.BytesIO()
    image.save(buffer, format="PNG")
    return buffer.getvalue()


def drawn(*entries: SheetEntry, cell: int = 100) -> Image.Image:
    return Image.open(io.BytesIO(contact_sheet(entries, cell=cell))).convert("RGB")


def share_of_green(sheet: Image.Image) -> float:
    pixels = list(sheet.get_flattened_data())
    return sum(g > 150 and r < 100 for r, g, _ in pixels) / len(pixels)


@pytest.mark.parametrize(("count", "columns", "rows"), [(1, 1, 1), (6, 6, 1), (7, 6, 2)])
def test_six_cells_stand_in_a_row(count: int, columns: int, rows: int) -> None:
    cell = drawn(SheetEntry("a", "done", picture()))

    sheet = drawn(*[SheetEntry(str(n), "done", picture()) for n in range(count)])

    assert sheet.width == pytest.approx(cell.width * columns, abs=12 * columns)
    assert sheet.height == pytest.approx(cell.height * rows, abs=12 * rows)


def test_a_cell_shows_the_part_around_the_face() -> None:
    whole = drawn(SheetEntry("a", "done", picture()))
    close = drawn(SheetEntry("a", "done", picture(), (100, 60, 20, 20)))

    assert share_of_green(close) > 5 * share_of_green(whole)


@pytest.mark.parametrize("face", [(0, 0, 20, 20), (180, 180, 20, 20), (0, 0, 200, 200)])
def test_a_face_at_the_edge_is_shown_too(face: tuple[int, int, int, int]) -> None:
    assert drawn(SheetEntry("a", "done", picture(), face)).width > 0


def test_a_missing_result_leaves_its_cell_empty() -> None:
    sheet = drawn(SheetEntry("age 45", "failed", None))

    assert share_of_green(sheet) == 0


def test_a_sheet_without_pictures_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="at least one"):
        contact_sheet([])
