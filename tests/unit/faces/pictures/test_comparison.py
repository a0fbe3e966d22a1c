"""Figures beside compared pictures."""

import pytest
from PIL import Image, ImageFilter

from deployments.sample import PORTRAIT
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

    sharp, soft = (compare_faces(NOISE, each, None).sharpness for each in (NOISE, blurred))
    assert sharp is not None
    assert soft is not None
    assert soft < sharp


def test_a_picture_of_half_the_size_enlarged_is_half_as_sharp_whatever_it_shows() -> None:
    with Image.open(PORTRAIT) as image:
        portrait = image.convert("RGB")
    enlarged = portrait.resize((1024, 1024), Image.Resampling.BICUBIC)
    face = (2 * 177, 2 * 66, 2 * 96, 2 * 109)

    sharp = compare_faces(portrait, portrait, (177, 66, 96, 109)).sharpness
    soft = compare_faces(enlarged, enlarged, face).sharpness

    assert sharp == pytest.approx(0.21, abs=0.03)
    assert soft == pytest.approx((sharp or 0) / 2, rel=0.2)


def test_a_box_at_the_edge_has_figures_and_one_that_is_too_small_or_flat_no_sharpness() -> None:
    flat = Image.new("RGB", (64, 64))

    assert compare_faces(NOISE, NOISE, (44, 44, 90, 90)).sharpness is not None
    assert compare_faces(NOISE, NOISE, (0, 0, 2, 2)).sharpness is None
    assert compare_faces(flat, flat, None).sharpness is None
