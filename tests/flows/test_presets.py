"""The flows save-preset and list-presets, and runs that use what was saved."""

import json
from typing import Any

import pytest
from prefect.client.schemas.objects import State
from prefect.exceptions import ParameterTypeError
from pymongo.database import Database

from db.errors import PresetNameTaken
from deployments.run_flow import run_flow
from flows.enhance_faces import enhance_faces
from flows.face_chain import face_chain
from flows.list_presets import list_presets
from flows.save_preset import save_preset
from storycanvas.faces.errors import BadField, ChainInvalid, OutOfRange
from tests.support.flows.runs import shown_by
from tests.support.flows.world import CHARACTER, World

Data = Database[dict[str, Any]]
Row = dict[str, Any]
SOFT = {"face_enhancer_blend": 0.7}
CHAIN = "steps: [{name: restored, operation_type: enhance}]"


def table_of(state: State[Any], key: str) -> list[Row]:
    """The rows of the only artifact of a run."""
    (artifact,) = shown_by(state)[1][key]
    assert artifact.type == "table"
    rows: list[Row] = json.loads(artifact.data)
    return rows


on_database = pytest.mark.usefixtures("configured")


@on_database
def test_a_preset_is_saved_from_lines_replaced_and_listed() -> None:
    first = save_preset("soft", "enhance", "face_enhancer_blend: 0.5")  # type: ignore[arg-type]
    state = save_preset("SOFT", "enhance", SOFT, is_public=True, replace=True, return_state=True)

    saved = state.result()
    rows = {row["field"]: (row["before"], row["now"]) for row in table_of(state, "save-preset")}
    assert shown_by(state)[0] == "save preset SOFT"
    assert (saved.id, saved.name, saved.before["name"]) == (first.id, "SOFT", "soft")
    assert rows["parameters.face_enhancer_blend"] == ("0.5", "0.7")
    assert rows["is_public"] == ("false", "true")
    assert rows["id"] == (first.id, first.id)
    assert "parameters.face_enhancer_blend 0.5 → 0.7" in state.message
    (listed,) = list_presets().presets
    assert (listed.name, listed.values) == ("SOFT", "face_enhancer_blend 0.7")


@pytest.mark.parametrize(
    ("asked", "error", "sentence"),
    [
        ({"name": ""}, ParameterTypeError, "name: String should have at least 1"),
        ({"name": "n" * 201}, ParameterTypeError, "name: String should have at most 200"),
        ({"operation_type": "age"}, ParameterTypeError, "operation_type"),
        ({"parameters": "just a text"}, ParameterTypeError, "parameters: the text has no line"),
        ({"parameters": "a: ["}, ParameterTypeError, "parameters: The text is no YAML"),
        ({"parameters": ""}, ParameterTypeError, "parameters: the text has no line"),
        ({"parameters": {"face_enhancer_blend": 3}}, OutOfRange, "face_enhancer_blend = 3"),
        ({"parameters": {"blend": 1}}, BadField, "blend"),
        ({"operation_type": "chain", "parameters": {"steps": []}}, ChainInvalid, "at least 1"),
        ({"name": "Taken"}, PresetNameTaken, "'Taken' is taken by the preset 'taken' .swap, id t"),
    ],
)
def test_what_cannot_be_saved_is_told_in_a_sentence_and_changes_nothing(
    configured: Data, asked: dict[str, Any], error: type[Exception], sentence: str
) -> None:
    configured["facefusion_presets"].insert_one(
        {"id": "t", "name": "taken", "operation_type": "swap", "parameters": {}}
    )
    given = {"name": "soft", "operation_type": "enhance", "parameters": SOFT}

    with pytest.raises(error, match=sentence):
        save_preset(**given | asked)

    assert [found["id"] for found in configured["facefusion_presets"].find()] == ["t"]


@on_database
def test_a_list_is_a_table_with_the_values_and_the_uses() -> None:
    save_preset("soft", "enhance", SOFT, "For close-ups.", is_public=True)
    save_preset("both", "chain", CHAIN)  # type: ignore[arg-type]

    state = list_presets("enhance", text="CLOSE", return_state=True)

    (row,) = table_of(state, "list-presets")
    assert row.pop("id") == state.result().presets[0].id
    assert row == {
        "name": "soft",
        "type": "enhance",
        "values": "face_enhancer_blend 0.7",
        "description": "For close-ups.",
        "public": True,
        "use_count": 0,
        "last used": "",
    }


@on_database
def test_where_nothing_is_found_the_table_counts_what_there_is() -> None:
    save_preset("soft", "enhance", SOFT)

    state = list_presets("swap", return_state=True)

    assert table_of(state, "list-presets") == [{"type": "enhance", "presets": 1}]
    assert "There is no preset for swap. There are: 1 for enhance." in state.message


@on_database
def test_a_list_of_an_empty_database_says_how_to_save_a_preset() -> None:
    state = list_presets(return_state=True)

    assert "save-preset saves one" in state.message
    assert shown_by(state)[1]["list-presets"][0].type == "markdown"


@on_database
def test_the_command_line_saves_and_lists(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["save-preset", "--name", "soft", "--operation-type", "enhance", "--parameters"]

    assert run_flow([*words, "face_enhancer_blend: 0.7"]) == 0
    assert run_flow([*words, "face_enhancer_blend: 0.7"]) == 1
    assert run_flow([*words, "face_enhancer_blend: ["]) == 2
    shown = capsys.readouterr()
    assert "Saved the preset 'soft'" in shown.out
    assert "switch replace on" in shown.err
    assert "The text is no YAML" in shown.err
    assert run_flow(["list-presets"]) == 0
    assert "1 preset, the most used first" in capsys.readouterr().out


def test_each_run_counts_once_in_the_presets_that_it_uses(world: World) -> None:
    save_preset("soft", "enhance", SOFT)
    save_preset("both", "chain", CHAIN)  # type: ignore[arg-type]

    face_chain(CHARACTER, "both", preset="soft")
    enhance_faces(CHARACTER, preset="soft")
    with pytest.raises(ChainInvalid):
        face_chain(CHARACTER, "both", values={"age": 4})

    found = {preset.name: preset for preset in list_presets().presets}
    assert found["soft"].use_count == 2
    assert found["both"].use_count == 2
    assert found["soft"].last_used
    history = world.character()["facefusion_processing_history"]
    assert history[0]["parameters"]["face_enhancer_blend"] == 0.7
