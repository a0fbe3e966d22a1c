"""What is noted of light, colour and sharpness of faces that are swapped."""

from dataclasses import replace
from functools import cache

import cv2
import numpy as np
import pytest

from storycanvas.faces.measures.landmarks import MeshFinder
from storycanvas.faces.measures.measure import Bytes, Findings, Floats, LandmarkedFace
from storycanvas.faces.measures.notes.blending import (
    MAX_SHARPNESS,
    colour_difference,
    colour_findings,
    sharpness_findings,
    skin_colour,
)
from storycanvas.faces.measures.notes.light import FaceLight, light_findings, light_of
from storycanvas.faces.measures.notes.sharpness import relative_sharpness
from tests.support.portraits import blurred, grey, portrait

WARM, COLD = (1.10, 0.97, 0.72), (0.85, 0.98, 1.15)
"""Factors of red, green and blue."""


@cache
def face() -> LandmarkedFace:
    return MeshFinder().find(portrait())[0]


def tinted(factors: tuple[float, float, float]) -> Floats:
    return np.clip(portrait() * np.array(factors, np.float32), 0, 255).astype(np.float32)


def composed(inside: Floats | Bytes, around: Floats | Bytes, edge: float = 3) -> Bytes:
    """Lay the face of one version of the portrait into another, with an edge of so many pixels."""
    x, y, width, height = face().box
    marked = np.zeros(portrait().shape[:2], np.float32)
    centre, radii = (x + width // 2, y + height // 2), (width // 2, height // 2)
    cv2.ellipse(marked, centre, radii, 0, 0, 360, 1, -1)
    share = cv2.GaussianBlur(marked, (0, 0), edge)[:, :, None]
    return np.rint(around + share * (inside - around.astype(np.float32))).astype(np.uint8)


def light(rgb: Bytes) -> FaceLight | None:
    return light_of(rgb, MeshFinder().find(rgb)[0])


def test_a_ramp_of_light_is_measured_across_the_face_and_whatever_grows_downwards_is_not() -> None:
    x, _, width, _ = face().box
    down, across = np.mgrid[0:512, 0:512].astype(np.float32)
    lab = np.zeros((512, 512, 3), np.float32)
    lab[:, :, 0] = 50 + 20 * (across - x - width / 2) / width + (down - 120) / 8
    ramp = np.rint(cv2.cvtColor(lab, cv2.COLOR_Lab2RGB) * 255).astype(np.uint8)

    found = light_of(ramp, face())

    assert found is not None
    assert found.slope == pytest.approx(20, abs=2)
    assert found.mean == pytest.approx(50, abs=3)


def test_two_pictures_in_the_same_light_have_no_note() -> None:
    brighter = np.clip(portrait() * 1.1, 0, 255).astype(np.uint8)

    assert light_findings(light(portrait()), light(brighter)) == Findings()


def test_a_face_lit_from_the_other_side_is_noted_with_both_slopes() -> None:
    mirrored = np.ascontiguousarray(portrait()[:, ::-1])

    found = light_findings(light(portrait()), light(mirrored))

    (note,) = found.notes
    assert note.startswith("The faces are lit from different sides: from left to right, L* changes")
    own, other = light(portrait()), light(mirrored)
    assert own is not None
    assert other is not None
    assert (own.slope < -10, other.slope > 10) == (True, True)
    assert f"{own.slope:+.0f} on the source face and by {other.slope:+.0f} on the target" in note


def test_a_dark_face_is_noted_with_both_lightnesses() -> None:
    found = light_findings(FaceLight(30, 0), FaceLight(71.4, 0))

    assert found.notes == (
        "The source face is darker than the target face by 41 L* (30 and 71); up to 25 fits.",
    )


@pytest.mark.parametrize("difference", [0, 25])
def test_a_difference_up_to_the_bound_fits(difference: float) -> None:
    pair = FaceLight(50, 0), FaceLight(50 + difference, -difference)

    assert light_findings(*pair) == Findings()


def test_a_face_that_is_not_all_in_the_picture_has_no_light() -> None:
    shifted = replace(face(), points=face().points - np.array([225, 0, 0], np.float32))

    assert light_of(portrait(), shifted) is None
    assert light_findings(None, FaceLight(50, 0)) == Findings(
        not_measured=("The light was not compared: too little of the source face is shown.",)
    )


def colours(target: Bytes, made: Bytes) -> Findings:
    before = skin_colour(target, face())
    assert before is not None
    return colour_findings(colour_difference(made, face(), before))


def sharpened(made: Bytes, before: float | None = None) -> Findings:
    return sharpness_findings(relative_sharpness(made, face()), before)


def test_a_face_that_fits_has_no_note() -> None:
    assert colours(portrait(), portrait()) == Findings()
    assert sharpened(portrait()) == Findings()


def test_a_warm_face_on_a_cold_picture_is_noted_as_yellower() -> None:
    cold = composed(tinted(COLD), tinted(COLD))

    (note,) = colours(cold, composed(tinted(WARM), tinted(COLD))).notes

    assert note.startswith("The swapped face differs in colour from the skin around it by ")
    assert "b* +" in note
    assert colours(cold, cold) == Findings()


def test_a_picture_without_colours_is_compared_as_well() -> None:
    colourless = grey(portrait())

    assert colours(colourless, colourless) == Findings()
    assert len(colours(colourless, composed(portrait(), colourless)).notes) == 1


def within(rgb: Bytes) -> tuple[Bytes, LandmarkedFace]:
    """Cut a picture so that the face fills it."""
    x, y, width, height = face().box
    left, top = x + width // 8, y + height // 8
    points = face().points - np.array([left, top, 0], np.float32)
    part = rgb[top : y + height * 7 // 8, left : x + width * 7 // 8]
    return part, replace(face(), points=points)


def test_a_face_that_fills_its_picture_has_nothing_to_be_compared_with() -> None:
    rgb, found = within(portrait())
    before = skin_colour(rgb, found)

    assert before is not None
    assert colour_findings(colour_difference(rgb, found, before)) == Findings(
        not_measured=("The colour of the face was not compared: no skin is seen around it.",)
    )


def test_a_face_in_a_black_hood_has_no_skin_and_no_details_around_it() -> None:
    hooded = composed(portrait(), np.zeros_like(portrait()), 0.1)

    assert colours(hooded, hooded).not_measured
    assert sharpened(hooded) == Findings(
        not_measured=("The sharpness of the face was not compared: nothing around it has details.",)
    )


@pytest.mark.parametrize(
    ("inside", "around", "word"), [(2.0, 0.1, "softer"), (0.1, 2.0, "sharper")]
)
def test_a_face_softer_or_sharper_than_its_picture_is_noted(
    inside: float, around: float, word: str
) -> None:
    made = composed(blurred(portrait(), inside), blurred(portrait(), around))

    (note,) = sharpened(made).notes

    assert note.startswith(f"The swapped face is {word} than what is around it: ")


def test_a_soft_face_in_a_soft_picture_fits() -> None:
    soft = blurred(portrait(), 2)

    assert sharpened(soft) == Findings()


def test_a_picture_whose_background_is_blurred_has_no_note_for_what_it_had_before() -> None:
    portrait_lens = composed(portrait(), blurred(portrait(), 2))
    before = relative_sharpness(portrait_lens, face())

    assert before is not None
    assert before > MAX_SHARPNESS
    assert sharpened(portrait_lens, before) == Findings()
