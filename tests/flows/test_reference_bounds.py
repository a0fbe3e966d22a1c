"""The likeness that a host tells is checked by the distances between a character's references."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from flows.age_progression import age_progression
from storycanvas.faces.client.host_client import FaceHostClient
from storycanvas.faces.measures.measure import SAME_BELOW
from storycanvas.faces.reports.measures import StepMeasure
from storycanvas.faces.settings import FaceSettings
from storycanvas.services.shared import acquire
from tasks.faces.measuring.baselines import TOO_FEW
from tests.support.flows.hosts import OddHost
from tests.support.flows.runs import shown_by
from tests.support.flows.world import CHARACTER, World, plain_picture, shades

RUN: dict[str, Any] = {"ages": [45], "enhance": None}
NARROWEST = 0.225
"""Three quarters of the usual 0.3."""
BY_REFERENCES = "0.23, by the character's reference images"
STEPS_OF_RUN = 2
"""The look at the base picture and the age."""
PAIRS, ALL_PAIRS = 3, 10


@pytest.fixture
def host(
    world: World,  # noqa: ARG001 - it names the usual host, which this one replaces
    own_host: Callable[[str], str],
    tmp_path: Path,
) -> Iterator[FaceHostClient]:
    """A host that measures likeness, as FaceFusion's do."""
    with acquire(OddHost("measures"), tmp_path / "measures") as lease:
        own_host(lease.record.url)
        with FaceHostClient(lease.record.url) as client:
            yield client


def comparisons(world: World) -> list[dict[str, Any]]:
    ledger = world.database["facefusion_operations"]
    return list(ledger.find({"parameters.face_selector_order": "large-small"}))


def measured(**settings: Any) -> StepMeasure:
    report = age_progression(CHARACTER, **RUN, settings=FaceSettings(**settings))
    (step,) = report.steps
    assert step.measure is not None
    return step.measure


def test_the_references_give_the_bound_and_are_compared_once(
    world: World, host: FaceHostClient
) -> None:
    world.show_in(shades(3))
    before = host.status().operations

    state = age_progression(CHARACTER, **RUN, return_state=True)

    report = state.result()
    (step,) = report.steps
    assert step.checks == (
        "The face shows another person than before: 0.26 apart, and below 0.23 two faces show one.",
    )
    assert step.measure is not None
    assert (step.measure.same_below, step.measure.bound_origin) == (NARROWEST, "references")
    assert f"One person below {BY_REFERENCES}." in report.notes
    _, shown = shown_by(state)
    _base, row = json.loads(shown[f"age-progression-{CHARACTER}-steps"][0].data)
    assert row["one person below"] == BY_REFERENCES
    assert host.status().operations - before == STEPS_OF_RUN + PAIRS
    assert len(comparisons(world)) == PAIRS
    history = world.character()["facefusion_processing_history"]
    assert [entry["operation_type"] for entry in history] == ["age_adjust"]

    world.show_in(reversed(shades(3)))  # the app orders them anew, and another picture is the base
    again = measured()

    assert again.bound_origin == "references"
    assert len(comparisons(world)) == PAIRS


def test_where_they_give_none_the_usual_bound_holds_and_it_is_told(
    world: World, host: FaceHostClient
) -> None:
    world.show_in([*shades(2), plain_picture()])

    found = measured()

    assert (found.same_below, found.bound_origin) == (SAME_BELOW["facefusion"], "usual")
    assert found.bound_reason == TOO_FEW
    assert host.status().operations == STEPS_OF_RUN


@pytest.mark.usefixtures("host")
def test_a_reference_that_the_host_cannot_take_leaves_the_usual_bound(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.show_in(shades(3))
    report = age_progression(CHARACTER, **RUN)
    assert report.steps[0].checks
    for compared in comparisons(world):
        world.database["facefusion_operations"].delete_one({"_id": compared["_id"]})
    monkeypatch.setenv("STORYCANVAS_STORE_MIN_FREE_MB", str(10**9))

    found = measured()

    assert found.bound_origin == "usual"
    assert found.bound_reason.startswith("the reference images were not compared: ")


def test_a_reference_in_which_the_host_sees_no_face_is_asked_of_it_once(
    world: World, own_host: Callable[[str], str], tmp_path: Path
) -> None:
    world.show_in(shades(5))  # the last two are too dark for the host
    with acquire(OddHost("measures-by-day"), tmp_path / "measures") as lease:
        own_host(lease.record.url)
        with FaceHostClient(lease.record.url) as client:
            first = measured()
            asked = len(comparisons(world))
            operations = client.status().operations
            second = measured()
            assert client.status().operations == operations

    seen = [len(each["faces"]) for each in comparisons(world)]
    assert first.bound_origin == second.bound_origin == "references"
    assert asked == len(seen) == ALL_PAIRS
    assert sorted(seen) == [0] * (ALL_PAIRS - PAIRS) + [1] * PAIRS


@pytest.mark.parametrize("settings", [{"same_person_below": 0.5}, {"measure": False}], ids=str)
def test_what_no_check_uses_is_not_asked(
    world: World, host: FaceHostClient, settings: dict[str, Any]
) -> None:
    world.show_in(shades(3))

    age_progression(CHARACTER, **RUN, settings=FaceSettings(**settings))

    assert host.status().operations == STEPS_OF_RUN
    assert comparisons(world) == []


def test_a_ledger_of_facefusion_from_before_all_measures_is_measured_without_an_operation(
    world: World, host: FaceHostClient
) -> None:
    aged = {"operation_type": "age_adjust"}
    ledger = world.database["facefusion_operations"]
    age_progression(CHARACTER, **RUN, settings=FaceSettings(measure=False))
    ledger.update_one(aged, {"$unset": {"measure": ""}})
    operations = host.status().operations

    report = age_progression(CHARACTER, **RUN)

    assert [(step.outcome, step.measure is None) for step in report.steps] == [("reused", False)]
    assert report.engine.startswith("facefusion")
    assert host.status().operations == operations
    found = ledger.find_one(aged)
    assert found is not None
    assert len(found["measure"]["faces"]) == 1


def test_a_dry_run_shows_which_comparisons_are_to_be_done(
    world: World, host: FaceHostClient
) -> None:
    world.show_in(shades(3))

    def planned(**settings: Any) -> list[str]:
        chosen = FaceSettings(**settings)
        report = age_progression(CHARACTER, **RUN, base_age=30, dry_run=True, settings=chosen)
        return [step.step for step in report.steps if step.step.startswith("compare")]

    assert len(planned()) == PAIRS
    assert planned(same_person_below=0.5) == []
    assert host.status().operations == 0
    age_progression(CHARACTER, **RUN)
    assert planned() == []
