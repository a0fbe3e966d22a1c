"""Pictures that steps make are measured by the run, kept in the ledger, and shown."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from flows.age_progression import age_progression
from flows.mask_face import mask_face
from storycanvas.faces.measures.measure import MEASURE_VERSION, PictureMeasure
from storycanvas.faces.reports.steps import FaceRunReport
from storycanvas.faces.results import meters
from storycanvas.faces.settings import FaceSettings
from storycanvas.services.shared import acquire
from tasks.faces.reporting.report import StepsFailed
from tests.support.flows.hosts import LIKENESS, OddHost
from tests.support.flows.runs import shown_by
from tests.support.flows.world import CHARACTER, World, shades

HISTORY, GALLERY = "facefusion_processing_history", "facefusion_output_gallery"
AGED = {"operation_type": "age_adjust"}


def aged(world: World) -> dict[str, Any]:
    found = world.database["facefusion_operations"].find_one(AGED)
    assert found is not None
    return found


def age_45(**parameters: Any) -> FaceRunReport:
    return age_progression(CHARACTER, ages=[45], enhance=None, **parameters)


def test_a_picture_is_measured_kept_in_the_ledger_and_shown(world: World) -> None:
    state = age_progression(CHARACTER, ages=[45], enhance=None, return_state=True)

    (step,) = state.result().steps
    kept = PictureMeasure.model_validate(aged(world)["measure"])
    assert kept.version == MEASURE_VERSION
    assert kept.faces is not None
    assert kept.chosen == 0
    assert step.measure is not None
    assert step.measure.asked_age == 45
    assert step.measure.read_age == kept.faces[0].age
    assert step.measure.faces == 1
    _, shown = shown_by(state)
    base, row = json.loads(shown[f"age-progression-{CHARACTER}-steps"][0].data)
    assert (base["step"], base["outcome"], base.keys()) == ("base (33)", "input", row.keys())
    assert base["warnings"].startswith("The face in the base picture is 96 x 109 pixels")
    assert row["measured"] == step.measure.line()
    assert row["pose"] == step.measure.pose()


@pytest.mark.parametrize("old", [None, {"version": 0}, {"version": "unheard-of"}])
def test_an_older_entry_is_measured_on_the_way_without_an_operation(
    world: World, old: dict[str, Any] | None
) -> None:
    first = age_45()
    measured = aged(world)["measure"]
    world.database["facefusion_operations"].update_one(AGED, {"$set": {"measure": old}})
    operations = world.host.status().operations

    second = age_45()

    assert [step.outcome for step in second.steps] == ["reused"]
    assert world.host.status().operations == operations
    assert aged(world)["measure"] == measured
    assert second.steps[0].measure is not None
    assert first.steps[0].measure is not None
    assert second.steps[0].measure.read_age == first.steps[0].measure.read_age


def test_what_is_measured_already_is_not_measured_again(world: World) -> None:
    age_45()
    marked = aged(world)["measure"] | {"notes": ["a mark"]}
    world.database["facefusion_operations"].update_one(AGED, {"$set": {"measure": marked}})

    (step,) = age_45().steps

    assert step.measure is not None
    assert (step.measure.notes, step.measure.seconds) == (("a mark",), 0.0)


def test_nothing_is_measured_where_the_settings_turn_it_off(world: World) -> None:
    (step,) = age_45(settings=FaceSettings(measure=False)).steps

    assert step.outcome == "done"
    assert step.measure is None
    assert aged(world)["measure"] is None


def test_the_likeness_that_a_host_measured_is_kept_in_the_ledger(
    world: World, own_host: Callable[[str], str], tmp_path: Path
) -> None:
    with acquire(OddHost("measures"), tmp_path / "measures") as lease:
        own_host(lease.record.url)
        age_45()

    assert PictureMeasure.model_validate(aged(world)["measure"]).likeness == LIKENESS


@pytest.mark.usefixtures("world")
def test_a_mask_shows_no_face_so_it_is_not_measured() -> None:
    report = mask_face(CHARACTER)

    assert [step.measure for step in report.steps] == [None]
    assert report.warnings == ()


@contextmanager
def no_weights() -> Iterator[None]:
    """A machine on which the package with the landmarks' weights was never installed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(meters, "FACE_MESH", replace(meters.FACE_MESH, module="not_installed_here"))
        meters.installed_meters.cache_clear()
        yield
    meters.installed_meters.cache_clear()


def test_without_the_weights_a_run_ends_well_and_the_next_one_with_them_measures(
    world: World,
) -> None:
    with no_weights():
        (without,) = age_45().steps
    (later,) = age_45().steps

    assert without.outcome == "done"
    assert without.measure is not None
    assert without.measure.line() == "not measured"
    assert "not installed" in without.measure.not_measured[0]
    assert later.outcome == "reused"
    assert later.measure is not None
    assert later.measure.faces == 1
    assert aged(world)["measure"]["faces"] is not None


def lose_face(world: World) -> None:
    """Let the ledger say that no face was found in the aged picture."""
    faceless = {"measure.faces": [], "measure.chosen": None}
    world.database["facefusion_operations"].update_one(AGED, {"$set": faceless})


def test_what_the_measures_say_against_a_picture_is_a_warning(world: World) -> None:
    age_45()
    lose_face(world)

    report = age_45()

    assert report.steps[0].checks == ("No face is left in the picture.",)
    assert report.warnings[-1] == "age 45: No face is left in the picture."
    assert report.steps[0].outcome == "reused"


def test_a_picture_is_checked_by_the_bound_of_the_characters_own_references(world: World) -> None:
    likeness = meters.installed_meters().likeness
    if likeness is None:
        pytest.skip(meters.installed_meters().missing["likeness"])
    world.show_in(shades(3))
    age_45()
    apart = {"compared_with": "input", "after": 0.5, "scale": likeness.scale}
    world.database["facefusion_operations"].update_one(AGED, {"$set": {"measure.likeness": apart}})

    (step,) = age_45().steps

    # The usual bound is 0.6: pictures of one photo narrow it.
    assert step.checks == (
        "The face shows another person than before: 0.50 apart, and below 0.45 two faces show one.",
    )


def test_on_wish_it_fails_the_step_and_no_character_gets_the_picture(world: World) -> None:
    age_45()
    lose_face(world)
    world.database["characters"].insert_one({**world.character(), "_id": 2, "id": "other"})
    world.database["characters"].update_one({"id": "other"}, {"$unset": {GALLERY: 1, HISTORY: 1}})

    with pytest.raises(StepsFailed, match="No face is left") as failed:
        age_progression("other", ages=[45], enhance=None, settings=FaceSettings(checks="fail"))

    (step,) = failed.value.report.steps
    other = world.database["characters"].find_one({"id": "other"})
    assert step.code == "check_failed"
    assert other is not None
    assert [entry["success"] for entry in other[HISTORY]] == [False]
    assert GALLERY not in other


def test_on_wish_a_picture_that_is_right_is_used(world: World) -> None:
    (step,) = age_45(settings=FaceSettings(checks="fail")).steps

    assert step.outcome == "done"
    assert list(world.character()[GALLERY]["age_variants"]) == ["45"]
    assert aged(world)["measure"]["faces"] != []
