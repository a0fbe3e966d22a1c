"""With `refine` an age that is read too far from the wanted one is made once more."""

import json

import pytest

from flows.age_progression import age_progression
from flows.for_characters import for_characters
from storycanvas.faces.errors import BadField
from storycanvas.faces.settings import FaceSettings
from tests.support.flows.runs import shown_by
from tests.support.flows.world import CHARACTER, World

GALLERY = "facefusion_output_gallery"


def test_asked_given_and_read_age_are_told_and_the_gallery_has_the_new_picture(
    world: World,
) -> None:
    state = age_progression(CHARACTER, ages=[65], enhance=None, refine=True, return_state=True)

    report = state.result()
    first, again = (step for step in report.steps if "65" in step.step)
    assert first.measure is not None
    assert again.measure is not None
    assert first.measure.read_age is not None
    given = min(round(130 - first.measure.read_age), 100)
    assert (first.measure.asked_age, first.measure.given_age) == (65, None)
    assert (again.measure.asked_age, again.measure.given_age) == (65, given)
    assert again.measure.read_age != first.measure.read_age
    assert world.character()[GALLERY]["age_variants"]["65"] == again.output_url
    _, shown = shown_by(state)
    rows = json.loads(shown[f"age-progression-{CHARACTER}-steps"][0].data)
    assert rows[-1]["measured"].startswith(f"asked 65, given {given}, read ")


def test_a_second_run_that_refines_reuses_everything(world: World) -> None:
    first = age_progression(CHARACTER, ages=[65], enhance=None, refine=True)
    operations = world.host.status().operations

    second = age_progression(CHARACTER, ages=[65], enhance=None, refine=True)

    assert [step.step for step in second.steps] == [step.step for step in first.steps]
    assert {step.outcome for step in second.steps} == {"reused"}
    assert world.host.status().operations == operations


def test_a_forced_run_makes_each_picture_once(world: World) -> None:
    age_progression(CHARACTER, ages=[65], enhance=None, refine=True)
    operations = world.host.status().operations

    report = age_progression(CHARACTER, ages=[65], enhance=None, refine=True, force=True)

    assert {step.outcome for step in report.steps} == {"done"}
    looked_at = 1  # by a forced run the base picture, too
    assert world.host.status().operations == operations + len(report.steps) + looked_at


@pytest.mark.usefixtures("world")
def test_a_run_for_characters_refines_each() -> None:
    parameters = {"ages": [65], "enhance": "none", "refine": True}

    report = for_characters(characters=[CHARACTER], parameters=parameters)

    assert len([s for s in report.reports[CHARACTER].steps if s.step.startswith("age 65")]) == 2


def test_what_is_not_measured_is_not_refined(world: World) -> None:
    with pytest.raises(BadField, match="leave measure on"):
        age_progression(CHARACTER, ages=[65], refine=True, settings=FaceSettings(measure=False))

    assert GALLERY not in world.character()
