"""The flow find-characters: a table to take ids from, pictures, and no reference but to stores."""

import json
from typing import Any

import pytest
from prefect.client.schemas.objects import State

from deployments.run_flow import run_flow
from flows.find_characters import find_characters
from tests.support.flows.jobs import stored_portrait
from tests.support.flows.runs import shown_by
from tests.support.flows.world import World

SECRET = "file:///etc/hostname"  # noqa: S105 - a path that no document may lead to


@pytest.fixture
def people(world: World) -> str:
    """Two characters of a project, one of whom has a picture of the store; and its path."""
    picture = stored_portrait(world)
    world.database["projects"].insert_one({"id": "p1", "name": "Night Train"})
    world.database["characters"].insert_many(
        [
            {"id": "c/1", "name": "Mara", "project_id": "p1", "reference_images": [picture]},
            {"id": "c2", "name": "Ma[r]a", "project_id": "p1", "reference_images": [SECRET, "b"]},
        ]
    )
    return picture


def table_of(state: State[Any]) -> list[dict[str, Any]]:
    [table] = shown_by(state)[1]["find-characters"]
    rows: list[dict[str, Any]] = json.loads(table.data)
    return rows


def test_found_characters_stand_in_a_table_with_what_other_flows_take(
    people: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("APP_CHARACTER_URL", "https://app.example/c/{id}")

    state = find_characters("MAR", project="night", return_state=True)

    row = {"name": "Mara", "project": "Night Train", "references": 1, "results": 0, "id": "c/1"}
    page = "https://app.example/c/c%2F1"
    assert shown_by(state)[0] == "find-characters · MAR · night"
    assert state.message == "1 character with 'MAR' in the name in projects 'night'."
    assert table_of(state) == [{"picture": people, **row, "page": page}]


@pytest.mark.usefixtures("people")
def test_pictures_are_shown_and_those_that_no_document_may_name_are_not() -> None:
    state = find_characters(project="Night Train", return_state=True)

    [sheet] = shown_by(state)[1]["find-characters-pictures"]
    text = str(sheet.data)
    assert text.startswith(
        r"![The first reference image of Ma\[r\]a, Mara](data:image/jpeg;base64,"
    )
    assert r"- Ma\[r\]a · Night Train · 2 references · 0 results · id `c2`" in text
    assert "(<file:" not in text


@pytest.mark.usefixtures("people")
def test_nothing_found_is_a_sentence_and_no_sheet() -> None:
    state = find_characters("Nemo", return_state=True)

    assert state.message == "There is no character with 'Nemo' in the name."
    assert shown_by(state)[1].keys() == {"find-characters"}


@pytest.mark.usefixtures("people")
def test_it_runs_from_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_flow(["find-characters", "--text", "mara"]) == 0
    assert "1 character with 'mara' in the name." in capsys.readouterr().out
