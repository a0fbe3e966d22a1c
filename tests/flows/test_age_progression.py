"""The flow age-progression, for real: every age made, recorded and shown; nothing done twice."""

import re
from collections.abc import Callable, Iterator
from itertools import pairwise
from types import ModuleType
from typing import Any

import bson
import pytest
from prefect.client.schemas.objects import State
from pymongo.database import Database

from db.schema.documents.characters import PreferredSettings
from db.schema.documents.faces import OperationRecord
from flows.age_progression import age_progression
from storycanvas.faces.operations import DetectOperation
from storycanvas.faces.pictures import reading
from storycanvas.faces.pictures.provenance import read_provenance
from storycanvas.faces.pictures.reading import read_picture
from storycanvas.faces.recipes.steps import Choice
from storycanvas.faces.reports.steps import FaceRunReport
from tasks.faces.reporting import sheet
from tests.support.db.fixtures import empty_database
from tests.support.flows.fixtures import open_world
from tests.support.flows.runs import shown_by
from tests.support.flows.world import CHARACTER, World

PICTURES = "http://127.0.0.1:9003"
HISTORY, GALLERY = "facefusion_processing_history", "facefusion_output_gallery"


def outcomes(report: FaceRunReport) -> set[str]:
    return {step.outcome for step in report.steps}


def estimate(world: World, path: str) -> float:
    """How old the engine finds the face in a stored picture."""
    asset = world.host.upload(read_picture(world.store.read(path), path))
    answer = world.host.operate(DetectOperation(), [asset], f"test-{path.replace('/', '.')}")
    assert answer.estimated_age is not None
    return answer.estimated_age


def count_calls(
    patch: pytest.MonkeyPatch, counts: dict[str, int], module: ModuleType, name: str
) -> None:
    """Count the calls of a module's function."""
    function: Callable[..., object] = getattr(module, name)

    def count(*arguments: object) -> object:
        counts[name] = counts.get(name, 0) + 1
        return function(*arguments)

    patch.setattr(module, name, count)


@pytest.fixture(scope="module")
def codings() -> dict[str, int]:
    """How often the first run decoded and encoded whole pictures."""
    return {}


@pytest.fixture(scope="module")
def first_run(
    codings: dict[str, int],
    replica_set: Database[dict[str, Any]],
    urls: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[World, State[FaceRunReport]]]:
    """A run with what the form proposes, which several claims are about."""
    folder = tmp_path_factory.mktemp("first_run")
    with (
        empty_database(replica_set) as database,
        pytest.MonkeyPatch.context() as patch,
        open_world(folder, database, urls, patch) as world,
    ):
        patch.setenv("STORYCANVAS_PICTURES_URL", PICTURES)
        for module, name in ((reading, "decode"), (reading, "encode_png"), (sheet, "decode")):
            count_calls(patch, codings, module, name)
        state = age_progression(CHARACTER, return_state=True)
        patch.undo()  # other tests come in between
        yield world, state


def test_a_run_decodes_each_picture_once_and_encodes_none_whose_file_is_at_hand(
    first_run: tuple[World, State[FaceRunReport]], codings: dict[str, int]
) -> None:
    _, state = first_run

    made = len(state.result().steps)
    compared_with = 1  # the portrait, once its pixels were given up
    assert codings == {"decode": 1 + compared_with + made}


def test_all_ages_are_made_and_differ_in_order(
    first_run: tuple[World, State[FaceRunReport]],
) -> None:
    world, state = first_run

    variants = world.character()[GALLERY]["age_variants"]
    paths = {int(age): world.store.path_of(url) for age, url in variants.items()}
    ages = [estimate(world, path) for _, path in sorted(paths.items()) if path]
    assert outcomes(state.result()) == {"done"}
    assert sorted(paths) == [12, 16, 25, 45, 65]
    assert all(younger < older for younger, older in pairwise(ages))


def test_history_names_the_parameters_as_the_app_stores_them(
    first_run: tuple[World, State[FaceRunReport]],
) -> None:
    history = first_run[0].character()[HISTORY]

    [aged] = [entry for entry in history if entry["parameters"].get("target_age") == 45]
    [enhanced] = [
        entry for entry in history if entry["input_image_url"] == aged["output_image_url"]
    ]
    assert aged["operation_type"] == "age_adjust"
    assert aged["parameters"]["age_adjustment_blend"] == 1.0
    assert enhanced["operation_type"] == "enhance"
    assert enhanced["parameters"]["enhancement_model"] == "gfpgan_1.4"
    assert enhanced["success"] is True


def test_the_stored_picture_and_the_ledger_say_where_it_came_from(
    first_run: tuple[World, State[FaceRunReport]],
) -> None:
    world, state = first_run
    report = state.result()

    [step] = [step for step in report.steps if step.step == "age 45"]
    statement = read_provenance(world.store.read(step.output_path or ""))
    document = world.database["facefusion_operations"].find_one({"output.path": step.output_path})
    record = OperationRecord.model_validate(document)
    assert statement is not None
    assert statement["ai_edit"] is True
    assert statement["engine"] == record.engine == "preview"
    assert statement["input_sha256"] == record.inputs
    assert report.engine.startswith("preview")


def test_a_run_has_a_readable_name_and_publishes_sheet_table_and_progress(
    first_run: tuple[World, State[FaceRunReport]],
) -> None:
    world, state = first_run

    name, shown = shown_by(state)
    prefix = f"age-progression-{CHARACTER}"
    assert name == "age-progression · Mira · 12–65"
    sheet, rows = shown[f"{prefix}-contact-sheet"][0].data, shown[f"{prefix}-steps"][0].data
    assert sheet.startswith("[![Contact sheet. Row 1: base")
    assert "](data:image/jpeg" in sheet
    assert "enhance age 45" in rows
    assert shown[f"{prefix}-progress"][0].data == 100.0
    assert world.store.holds(state.result().contact_sheet_path or "")


def test_the_state_of_a_run_ends_with_the_link_to_its_sheet(
    first_run: tuple[World, State[FaceRunReport]],
) -> None:
    _, state = first_run

    _, shown = shown_by(state)
    [sheet] = shown[f"age-progression-{CHARACTER}-contact-sheet"]
    page = state.result().contact_sheet_page or ""
    assert page.endswith(f"/v2/artifacts/artifact/{sheet.id}")
    assert state.message == f"10 steps: 10 done. Contact sheet: {page}"


def test_a_run_links_each_picture_and_stores_no_address_of_the_picture_server(
    first_run: tuple[World, State[FaceRunReport]],
) -> None:
    world, state = first_run

    _, shown = shown_by(state)
    [sheet] = shown[f"age-progression-{CHARACTER}-contact-sheet"]
    [steps] = shown[f"age-progression-{CHARACTER}-steps"]
    links = re.findall(r"\[([^]\[]+)\]\((http[^)]+)\)", sheet.data)
    assert [label for label, _ in links[1:]] == [
        "base (33)",
        *(f"age {age}" for age in (12, 16, 25, 45, 65)),
    ]
    assert all(world.store.wrote(url.removeprefix(f"{PICTURES}/")) for _, url in links)
    assert "http" not in steps.data.replace(state.result().host, "")
    assert PICTURES not in str(world.everything())
    assert PICTURES not in state.result().model_dump_json()


def test_a_second_run_reuses_everything_and_a_new_age_costs_one_operation(world: World) -> None:
    first = age_progression(CHARACTER, ages=[45])
    before, operations = world.everything(), world.host.status().operations

    second = age_progression(CHARACTER, ages=[45])

    assert outcomes(second) == {"reused"}
    assert world.host.status().operations == operations
    assert world.everything() == before
    assert [s.output_url for s in second.steps] == [s.output_url for s in first.steps]

    third = age_progression(CHARACTER, ages=[45, 50], enhance=None)

    assert [(step.step, step.outcome) for step in third.steps] == [
        ("age 45", "reused"),
        ("age 50", "done"),
    ]
    assert world.host.status().operations == operations + 1


def test_force_does_it_again_and_keeps_one_ledger_entry(world: World) -> None:
    age_progression(CHARACTER, ages=[45], enhance=None)
    operations = world.host.status().operations

    report = age_progression(CHARACTER, ages=[45], enhance=None, force=True)

    assert outcomes(report) == {"done"}
    assert world.host.status().operations == operations + 2  # detect and age 45
    assert world.database["facefusion_operations"].count_documents({}) == 2
    assert len(world.character()[HISTORY]) == 2


def test_a_picture_that_was_lost_from_the_store_is_made_again(world: World) -> None:
    first = age_progression(CHARACTER, ages=[45], enhance=None)
    lost = world.folder / "images" / (first.steps[0].output_path or "")
    lost.unlink()

    report = age_progression(CHARACTER, ages=[45], enhance=None)

    assert outcomes(report) == {"done"}
    assert world.store.holds(report.steps[0].output_path or "")
    assert outcomes(age_progression(CHARACTER, ages=[45], enhance=None)) == {"reused"}


def test_another_character_with_the_same_picture_gets_its_own_history(world: World) -> None:
    world.database["characters"].insert_one({**world.character(), "_id": 2, "id": "other"})
    age_progression(CHARACTER, ages=[45], enhance=None)

    report = age_progression("other", ages=[45], enhance=None)

    other = world.database["characters"].find_one({"id": "other"})
    assert outcomes(report) == {"reused"}
    assert other is not None
    assert len(other[HISTORY]) == 1
    assert list(other[GALLERY]["age_variants"]) == ["45"]


@pytest.mark.usefixtures("world")
def test_known_and_estimated_age_both_stand_in_the_report() -> None:
    report = age_progression(CHARACTER, ages=[65], base_age=25, enhance=None)

    assert [step.step for step in report.steps] == ["age 45", "age 65"]
    assert report.base_age == 25
    assert report.estimated_age == pytest.approx(30, abs=8)


def test_settings_of_character_and_preset_are_used_and_told(world: World) -> None:
    saved = {
        **PreferredSettings().model_dump(),
        "face_selector_order": "large-small",
        "enhancement_modle": "x",
    }
    world.database["characters"].update_one(
        {"id": CHARACTER}, {"$set": {"facefusion_preferred_settings": saved}}
    )
    world.database["facefusion_presets"].insert_one(
        {
            "id": "preset-1",
            "name": "soft",
            "operation_type": "enhance",
            "parameters": {"face_enhancer_blend": 0.4},
        }
    )

    report = age_progression(CHARACTER, ages=[60], base_age=25, preset="soft")

    order = {"face_selector_order": "character"}
    assert [step.sources for step in report.steps] == [
        {"age_adjustment_blend": "recipe", **order},
        {"face_enhancer_blend": "preset", **order},
    ]
    assert "hold 'enhancement_modle', which no operation has" in report.warnings[-1]


def test_a_character_without_room_is_one_sentence_and_what_was_done_is_added_later(
    world: World,
) -> None:
    characters, before = world.database["characters"], world.character()
    room = 16 * 2**20 - len(bson.encode(before)) - 100
    characters.delete_one({"id": CHARACTER})
    characters.insert_one({**before, "by_the_app": "x" * room})

    state = age_progression(CHARACTER, ages=[45], enhance=None, return_state=True)

    assert state.is_failed()
    assert f"character '{CHARACTER}' has no room for another entry in {HISTORY}" in state.message
    assert HISTORY not in world.character()
    characters.update_one({"id": CHARACTER}, {"$set": {"by_the_app": ""}})
    assert outcomes(age_progression(CHARACTER, ages=[45], enhance=None)) == {"reused"}
    assert [entry["success"] for entry in world.character()[HISTORY]] == [True]


@pytest.mark.usefixtures("world")
def test_a_line_break_behind_an_id_is_not_part_of_it() -> None:
    state = age_progression(f"{CHARACTER}\n", ages=[45], enhance=Choice.NONE, return_state=True)

    assert outcomes(state.result()) == {"done"}
    assert shown_by(state)[0] == "age-progression · Mira · 45"


def test_a_named_base_image_is_used_instead_of_the_reference_image(world: World) -> None:
    named = str(world.character()["reference_images"][0])
    world.database["characters"].update_one({"id": CHARACTER}, {"$set": {"reference_images": []}})

    report = age_progression(CHARACTER, ages=[45], base_image=named, enhance=None)

    assert outcomes(report) == {"done"}
