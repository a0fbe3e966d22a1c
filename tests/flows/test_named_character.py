"""A face flow takes a character by its name too; a job, which another program wrote, does not."""

import pytest

from blocks.environment import ConfigurationUnusable
from db.errors import AmbiguousCharacter
from flows.age_progression import age_progression
from flows.batch_process import batch_process
from flows.for_characters import for_characters
from tests.support.flows.jobs import drained, insert_jobs, stored_portrait, the_job
from tests.support.flows.runs import shown_by
from tests.support.flows.world import CHARACTER, World

NAME = "Mira of the Mountains"


@pytest.fixture
def named(world: World) -> World:
    which = {"id": CHARACTER}
    world.database["characters"].update_one(which, {"$set": {"name": NAME, "project_id": "p1"}})
    return world


def test_one_match_in_any_case_is_taken_and_told(
    named: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("APP_CHARACTER_URL", "https://app.example/characters/{id}")
    state = age_progression(NAME.upper(), ages=[45], return_state=True)
    report = state.result()
    batch = batch_process([{"type": "enhance"}], character_id=NAME.lower())

    assert (report.character_id, batch.character_id) == (CHARACTER, CHARACTER)
    taken = f"is that of the character {CHARACTER!r} of project 'p1'."
    assert f"The name {NAME.upper()!r} {taken}" in report.notes
    assert f"The name {NAME.lower()!r} {taken}" in batch.notes
    page = f"https://app.example/characters/{CHARACTER}"
    run, artifacts = shown_by(state)
    assert run == f"age-progression · {NAME} · 45"
    assert report.character_page == page
    [sheet] = artifacts[f"age-progression-{CHARACTER}-contact-sheet"]
    assert f"Character: [{NAME}]({page})." in str(sheet.data)
    gallery = named.character()["facefusion_output_gallery"]
    assert ([*gallery["age_variants"]], len(gallery["enhanced_faces"])) == (["45"], 1)


def test_a_template_that_makes_no_link_ends_a_run_before_it_begins(
    named: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("APP_CHARACTER_URL", "javascript:{id}")
    before = named.everything()

    with pytest.raises(ConfigurationUnusable, match="APP_CHARACTER_URL cannot be used"):
        age_progression(CHARACTER, ages=[45])

    assert named.everything() == before


def test_several_are_refused_with_their_ids_and_projects(named: World) -> None:
    named.database["characters"].insert_one({"id": "other", "name": NAME, "project_id": "p2"})
    named.database["projects"].insert_one({"id": "p2", "name": "Night Train"})
    before = named.everything()

    with pytest.raises(AmbiguousCharacter) as refused:
        age_progression(NAME, ages=[45])

    assert f"{CHARACTER!r} of project 'p1'; 'other' of project 'Night Train' (p2)" in str(
        refused.value
    )
    assert named.everything() == before


def test_a_name_and_an_id_of_one_character_are_one_character(named: World) -> None:
    report = for_characters(characters=(NAME, CHARACTER), parameters={"ages": [45]})

    assert [result.character_id for result in report.results] == [CHARACTER]
    assert named.character()["facefusion_output_gallery"]["age_variants"].keys() == {"45"}


def test_a_job_takes_no_character_by_its_name(named: World) -> None:
    portrait = stored_portrait(named)
    single = {"job_type": "enhance", "input_data": {"image_url": portrait}}
    many = {"input_data": {"operations": [{"type": "enhance", "image_url": portrait}]}}
    insert_jobs(named, {**single, "character_id": NAME}, {**many, "character_id": NAME})

    drained()

    messages = [the_job(named, number)["error_message"] for number in range(2)]
    assert ["There is no character" in message for message in messages] == [True, True]
    assert "facefusion_output_gallery" not in named.character()
