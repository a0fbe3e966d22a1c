"""What a person sees in the preview engine's pictures: ages in their order, sliders at work."""

import io
from functools import cache

import numpy as np
import pytest
from PIL import Image

from storycanvas.faces.contract import DetectedFace
from storycanvas.faces.operations import AgeAdjustOperation, DetectOperation, EditOperation
from storycanvas.faces.pictures.reading import Picture, normal_form
from storycanvas.host.engines.preview import PreviewEngine
from tests.support.paths import PORTRAIT

WHOLE = Image.open(PORTRAIT)
PORTRAIT = normal_form(WHOLE.crop((110, 0, 350, 240)))
"""The head and what is around it: small, so that searching it is quick."""
FACE = np.s_[60:185, 55:175]
HAIR = np.s_[22:55, 80:160]
SKIN = np.s_[112:172, 82:144]
OLDER, YOUNGER = (35, 45, 55, 65, 75), (25, 20, 16, 12, 10)
SLIDERS = [name for name in EditOperation.model_fields if name.startswith("face_editor_")]

ENGINE = PreviewEngine()


def pixels(picture: Picture) -> np.ndarray:
    return np.array(Image.open(io.BytesIO(picture.png)), np.int16)


def aged(age: int, picture: Picture = PORTRAIT) -> Picture:
    result = ENGINE.run(AgeAdjustOperation(target_age=age), [picture]).picture
    assert result is not None
    return result


@cache
def edited(slider: str, value: int) -> np.ndarray:
    result = ENGINE.run(EditOperation.model_validate({slider: value}), [PORTRAIT]).picture
    assert result is not None
    return pixels(result)


@cache
def portrait_at(age: int) -> Picture:
    return aged(age)


@cache
def estimate(picture: Picture) -> float:
    age = ENGINE.run(DetectOperation(), [picture]).estimated_age
    assert age is not None
    return age


def change(picture: Picture) -> float:
    return float(np.abs(pixels(picture)[FACE] - pixels(PORTRAIT)[FACE]).mean())


def greyness(picture: Picture) -> float:
    hair = pixels(picture)[HAIR]
    return -float((hair.max(axis=2) - hair.min(axis=2)).mean())


def test_the_portrait_looks_about_thirty() -> None:
    assert 22 <= estimate(normal_form(WHOLE)) <= 38


def test_a_trained_network_reads_the_ages_in_their_order() -> None:
    readings = [estimate(portrait_at(age)) for age in (16, 25, 45, 65)]
    assert (np.diff(readings) > 0.5).all(), readings


@pytest.mark.parametrize("ages", [OLDER, YOUNGER], ids=["older", "younger"])
def test_the_further_the_age_the_larger_the_change(ages: tuple[int, ...]) -> None:
    changes = [change(portrait_at(age)) for age in ages]
    assert changes == sorted(set(changes))


def test_an_aged_face_can_be_aged_again() -> None:
    young = aged(25)
    middle = aged(45, young)
    old = aged(65, middle)
    assert estimate(young) < estimate(middle) < estimate(old)
    assert change(middle) < change(old)


def test_hair_greys_with_age() -> None:
    greys = [greyness(portrait_at(age)) for age in OLDER]
    assert greys == sorted(greys)
    assert greys[-1] > greyness(PORTRAIT) / 2


def test_a_younger_face_is_brighter_and_keeps_its_hair() -> None:
    assert pixels(portrait_at(12))[SKIN].mean() > pixels(PORTRAIT)[SKIN].mean() + 2
    assert np.array_equal(pixels(portrait_at(12))[HAIR], pixels(PORTRAIT)[HAIR])


def test_half_the_blend_looks_less_old() -> None:
    half = AgeAdjustOperation(target_age=70, age_adjustment_blend=0.5)
    picture = ENGINE.run(half, [PORTRAIT]).picture
    assert picture is not None
    assert estimate(PORTRAIT) < estimate(picture) < estimate(portrait_at(70))


@pytest.mark.parametrize("brightness", [0.5, 1.3])
def test_the_light_hardly_matters_for_the_estimate(brightness: float) -> None:
    values = np.clip(pixels(PORTRAIT) * brightness, 0, 255).astype(np.uint8)
    assert abs(estimate(normal_form(Image.fromarray(values))) - estimate(PORTRAIT)) < 10


def test_a_black_and_white_face_ages_in_order_too() -> None:
    grey = normal_form(WHOLE.convert("L"))
    estimates = [estimate(aged(age, grey)) for age in (16, 25, 45, 75)]
    assert estimates == sorted(set(estimates))


def test_there_are_fourteen_sliders() -> None:
    assert len(SLIDERS) == 14


@pytest.mark.parametrize("slider", SLIDERS)
def test_a_slider_does_more_the_further_it_goes_and_another_thing_backwards(slider: str) -> None:
    before = pixels(PORTRAIT)
    some, far, back = (edited(slider, value) for value in (30, 100, -100))
    assert 0 < np.abs(some - before).sum() < np.abs(far - before).sum()
    assert np.abs(far - before).max() > 30
    assert np.abs(back - before).max() > 30
    assert np.abs(far - back).sum() > np.abs(some - before).sum()


def test_no_two_sliders_do_the_same() -> None:
    assert len({edited(slider, 100).tobytes() for slider in SLIDERS}) == len(SLIDERS)


@pytest.mark.parametrize("column", [94, 132], ids=["left", "right"])
def test_a_smile_lifts_the_corners_of_the_mouth(column: int) -> None:
    rows, columns = np.arange(134, 150), np.arange(column - 4, column + 5)
    corner = pixels(PORTRAIT)[np.ix_(rows, columns)]

    def moved_down(picture: np.ndarray) -> int:
        shifts = range(-8, 9)
        moved = [picture[np.ix_(rows + shift, columns)] for shift in shifts]
        return shifts[int(np.argmin([np.abs(part - corner).sum() for part in moved]))]

    assert moved_down(edited("face_editor_mouth_smile", 100)) < -1
    assert moved_down(edited("face_editor_mouth_smile", -100)) > 1


@pytest.mark.parametrize("degrees", [-12, 0, 12])
def test_the_pose_of_a_turned_portrait_is_known(degrees: int) -> None:
    def pose_at(turn: int) -> DetectedFace:
        turned = WHOLE.rotate(-turn, Image.Resampling.BICUBIC, center=(230, 120))
        [face] = ENGINE.run(DetectOperation(), [normal_form(turned)]).faces
        return face

    turned, straight = pose_at(degrees), pose_at(0)
    assert turned.roll - straight.roll == pytest.approx(degrees, abs=4)
    assert (turned.yaw, turned.pitch) == pytest.approx((straight.yaw, straight.pitch), abs=6)
