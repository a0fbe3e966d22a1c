"""Figures beside compared pictures."""

import pytest
from PIL import Image, ImageFilter

from storycanvas.faces.sheets.comparison import compare_faces

NOISE = Image.effect_noise((64, 64), 60).convert("RGB")


def test_the_same_picture_has_no_change() -> None:
    assert compare_faces(NOISE, NOISE, None).mean_change == 0


def test_only_the_face_counts() -> None:
    changed = NOISE.copy()
    changed.paste((0, 0, 0), (0, 0, 16, 16))

    assert compare_faces(NOISE, changed, (32, 32, 16, 16)).mean_change == 0
    assert compare_faces(NOISE, changed, (0, 0, 16, 16)).mean_change > 50


@pytest.mark.parametrize("radius", [1, 3])
def test_a_blurred_face_is_less_sharp(radius: int) -> None:
    blurred = NOISE.filter(ImageFilter.GaussianBlur(radius))

    assert (
        compare_faces(NOISE, blurred, None).sharpness < compare_faces(NOISE, NOISE, None).sharpness
    )


def test_a_box_at_the_edge_or_of_two_pixels_has_figures() -> None:
    assert compare_faces(NOISE, NOISE, (60, 60, 90, 90)).sharpness > 0
    assert compare_faces(NOISE, NOISE, (0, 0, 2, 2)).sharpness == 0
