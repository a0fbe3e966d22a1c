"""The flow for-characters: one run for many, and each as if it were run alone."""

from typing import Any

import pytest
from prefect.client.schemas.objects import State
from prefect.exceptions import ParameterTypeError

from db.errors import UnknownCharacter
from flows.age_progression import age_progression
from flows.for_characters import for_characters
from storycanvas.faces.errors import BadField, ChainInvalid, ChildAgeRefused
from storycanvas.faces.reports.characters import CharactersReport
from tasks.faces.characters import NoCharacterDone
from tests.support.flows.runs import kept
from tests.support.flows.world import World, plain_picture

GALLERY, HISTORY = "facefusion_output_gallery", "facefusion_processing_history"
PROJECT = "project-1"
AGES = {"ages": [25, 45]}


@pytest.fixture
def people(world: World, target: str) -> list[str]:
    """Four characters of a project: two with a face, one without a picture, one without a face."""
    plain = world.picture("plain.png", plain_picture())
    own = world.character()["reference_images"]
    pictures = {"ann": own, "ben": [target], "cleo": [], "dan": [plain]}
    world.database["characters"].insert_many(
        {"id": name, "name": name, "project_id": PROJECT, "reference_images": images}
        for name, images in pictures.items()
    )
    world.database["characters"].insert_one(
        {"id": "eve", "name": "eve", "project_id": PROJECT, "deleted_at": 1}
    )
    return [*pictures]


def character(world: World, name: str) -> dict[str, Any]:
    found = world.database["characters"].find_one({"id": name})
    assert found is not None
    return found


def ended(**parameters: Any) -> tuple[State[Any], CharactersReport]:
    state: State[Any] = for_characters(**parameters, return_state=True)
    report = state.result(raise_on_failure=False)
    return state, getattr(report, "report", report)


def outcomes(report: CharactersReport) -> dict[str, str]:
    return {result.character_id: result.outcome for result in report.results}


@pytest.mark.usefixtures("people")
def test_one_that_fails_stops_no_other(world: World) -> None:
    state, report = ended(project_id=PROJECT, parameters=AGES)

    assert state.name == "Partly done"
    assert (state.message or "").startswith("4 characters: 2 done, 2 failed. cleo: ")
    assert outcomes(report) == {"ann": "done", "ben": "done", "cleo": "failed", "dan": "failed"}
    assert "has no reference image" in (report.results[2].error or "")
    assert "No face was found" in (report.results[3].error or "")
    assert sorted(character(world, "ben")[GALLERY]["age_variants"]) == ["25", "45"]
    assert HISTORY not in character(world, "cleo")
    assert HISTORY not in character(world, "dan")
    assert {report.reports[name].flow for name in ("ann", "ben")} == {"age-progression"}
    assert kept("age-progression-ann-contact-sheet")
    assert kept("for-characters-project-1-characters")


def test_each_character_is_left_as_a_run_for_it_alone_leaves_it(
    world: World, people: list[str]
) -> None:
    ended(characters=people[:2], parameters=AGES)
    together = {name: character(world, name) for name in people[:2]}
    operations = world.host.status().operations

    for name in people[:2]:
        report = age_progression(name, **AGES)
        assert {step.outcome for step in report.steps} == {"reused"}

    assert {name: character(world, name) for name in people[:2]} == together
    assert world.host.status().operations == operations


@pytest.mark.parametrize(
    ("pipeline", "parameters", "gallery"),
    [
        ("enhance-faces", "enhance: codeformer", "enhanced_faces"),
        ("edit-expression", {"face_editor_mouth_smile": 40}, "edited_expressions"),
        ("face-chain", {"chain": "enhance-and-age", "values": {"target_age": 60}}, "age_variants"),
    ],
)
def test_other_pipelines_take_their_own_parameters(
    world: World, people: list[str], pipeline: str, parameters: object, gallery: str
) -> None:
    _, report = ended(characters=people[:1], pipeline=pipeline, parameters=parameters)

    assert outcomes(report) == {"ann": "done"}
    shown = character(world, "ann")[GALLERY]
    assert [name for name, pictures in shown.items() if pictures] == [gallery]


def test_a_first_look_leaves_the_others_to_the_next_run(people: list[str]) -> None:
    given = {"characters": people[:2], "parameters": {"ages": [25]}}
    state, first = ended(**given, only_first=1)
    _, second = ended(**given)

    assert (state.message, first.waiting_characters) == ("2 characters: 1 done, 1 wait.", 1)
    assert outcomes(second) == {"ann": "done", "ben": "done"}
    assert {step.outcome for step in second.reports["ann"].steps} == {"reused"}


def test_after_so_many_failed_characters_nothing_more_is_begun(people: list[str]) -> None:
    state, report = ended(characters=people, parameters=AGES, stop_after_failures=2)

    assert state.is_failed()
    assert outcomes(report) == {
        "ann": "not begun",
        "ben": "not begun",
        "cleo": "failed",
        "dan": "failed",
    }
    assert "Not begun, after 2 failures" in (report.results[0].error or "")


@pytest.mark.usefixtures("people")
@pytest.mark.parametrize(
    ("given", "error", "sentence"),
    [
        ({}, BadField, "Name a project_id or characters"),
        ({"project_id": PROJECT, "characters": ["ann"]}, BadField, "one of the two"),
        ({"project_id": "none"}, UnknownCharacter, "'none' has no character"),
        (
            {"characters": ["ann"], "parameters": {"agess": [3]}},
            ParameterTypeError,
            "age-progression takes no 'agess' there; it takes ages",
        ),
        (
            {"characters": ["ann"], "parameters": "preset: mine"},
            ParameterTypeError,
            "takes no 'preset' there",
        ),
        ({"characters": ["ann"], "parameters": {"ages": [140]}}, ParameterTypeError, "ages.0"),
        ({"characters": ["ann"], "parameters": {"ages": [5]}}, ChildAgeRefused, "allow_child_ages"),
        ({"characters": ["ann"], "pipeline": "face-chain"}, ChainInvalid, "Name a chain"),
        ({"characters": ["missing"]}, NoCharacterDone, "There is no character 'missing'"),
    ],
)
def test_what_cannot_be_used_is_refused_before_anything_is_done(
    world: World, given: dict[str, Any], error: type[Exception], sentence: str
) -> None:
    before = world.everything()

    with pytest.raises(error, match=sentence):
        for_characters(**given)

    assert world.everything() == before
