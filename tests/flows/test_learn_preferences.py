"""The flow learn-preferences: what it proposes, writes, leaves, and refuses."""

from typing import Any

import pytest
from pymongo.database import Database

from db.errors import UnknownCharacter
from db.ledger import record_operation
from db.schema.documents.faces import GalleryEffect
from deployments.run_flow import run_flow
from flows.learn_preferences import learn_preferences
from tests.support.db.mongosh import run_line
from tests.support.db.records import CHARACTER, NOW, character, output, record
from tests.support.flows.runs import messages_of, shown_by

Data = Database[dict[str, Any]]
SETTINGS = "facefusion_preferred_settings"
OF_THE_APP = {"enhancement_model": "gfpgan_1.4", "face_enhancer_blend": 0.4}


@pytest.fixture
def configured(configured: Data) -> Data:
    """A character with six restored pictures, one of which a person removed."""
    configured["characters"].insert_one(
        character(id=CHARACTER, project_id="p", facefusion_preferred_settings=OF_THE_APP)
    )
    for number in range(6):
        key = f"key-{number}"
        url = f"http://pictures/{number}.png"
        effect = GalleryEffect(id=key, character_id=CHARACTER, gallery="enhanced_faces", url=url)
        model = "codeformer" if number < 5 else "gfpgan_1.4"
        made = record(
            key, output=output(key), effects=[effect], parameters={"enhancement_model": model}
        )
        record_operation(configured, made, NOW)
    removed = {"facefusion_output_gallery.enhanced_faces": "http://pictures/0.png"}
    configured["characters"].update_one({}, {"$pull": removed})
    return configured


def stored(database: Data) -> dict[str, Any]:
    found = database["characters"].find_one({"id": CHARACTER})
    assert found
    return found


def test_by_default_it_proposes_and_changes_nothing(
    configured: Data, caplog: pytest.LogCaptureFixture
) -> None:
    before = stored(configured)

    state = learn_preferences(CHARACTER, return_state=True)

    report = state.result()
    name, artifacts = shown_by(state)
    [table] = artifacts[f"learn-preferences-{CHARACTER}"]
    assert name == "learn-preferences · Mira"
    assert "5 kept, 1 removed, 0 replaced, 0 unknown" in report.summary()
    assert (
        "Proposed: enhancement_model = codeformer, face_enhancer_blend = 1.0." in report.summary()
    )
    assert "start the flow again with apply on" in messages_of(state)[-1]
    assert (
        "enhancement_model: codeformer kept 4, removed 1; next gfpgan_1.4 kept 1; was gfpgan_1.4: "
        "proposed."
    ) in [each.getMessage() for each in caplog.records]
    assert '"setting": "enhancement_model"' in str(table.data)
    assert stored(configured) == before


def test_with_apply_it_writes_those_fields_only_and_says_how_to_undo_it(configured: Data) -> None:
    before = stored(configured)

    report = learn_preferences(CHARACTER, apply=True)

    after = stored(configured)
    assert after[SETTINGS] == {"enhancement_model": "codeformer", "face_enhancer_blend": 1.0}
    assert {name for name in after if after[name] != before.get(name)} == {SETTINGS, "updated_at"}
    assert "Written: enhancement_model = codeformer" in report.summary()
    assert run_line(configured, report.undo) == 1
    assert stored(configured)[SETTINGS] == OF_THE_APP
    assert "Nothing is proposed" not in report.summary()


def test_a_second_run_has_nothing_to_write(configured: Data) -> None:
    learn_preferences(CHARACTER, apply=True)
    before = stored(configured)

    report = learn_preferences(CHARACTER, apply=True)

    assert "Nothing was written." in report.summary()
    assert stored(configured) == before


def test_a_gallery_that_is_gone_is_named(
    configured: Data, caplog: pytest.LogCaptureFixture
) -> None:
    configured["characters"].update_one({}, {"$unset": {"facefusion_output_gallery": ""}})

    report = learn_preferences(CHARACTER, apply=True)

    assert "0 kept, 0 removed, 0 replaced, 6 unknown" in report.summary()
    assert "The gallery has no enhanced_faces" in caplog.text


def test_an_unknown_character_is_refused_in_a_sentence(configured: Data) -> None:
    with pytest.raises(UnknownCharacter, match="There is no character 'unknown'"):
        learn_preferences("unknown")

    assert stored(configured)[SETTINGS] == OF_THE_APP


def test_the_command_line_prints_the_summary(
    configured: Data, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_flow(["learn-preferences", "--character-id", CHARACTER, "--apply"]) == 0

    assert "Written: enhancement_model = codeformer" in capsys.readouterr().out
    assert stored(configured)[SETTINGS]["enhancement_model"] == "codeformer"
