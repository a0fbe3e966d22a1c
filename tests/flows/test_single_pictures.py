"""The flows on single pictures, for real: restoring, comparing, another expression."""

import json

import pytest
from PIL import Image, ImageOps

from flows.compare_enhancers import compare_enhancers
from flows.detect_faces import detect_faces
from flows.edit_expression import edit_expression
from flows.enhance_faces import enhance_faces
from flows.mask_face import mask_face
from storycanvas.faces.operations import EnhancementModel, FaceSelectorOrder
from storycanvas.faces.recipes.expression import Sweep
from storycanvas.faces.settings import FaceSettings
from tasks.faces.reporting.report import StepsFailed
from tests.support.flows.runs import shown_by
from tests.support.flows.world import CHARACTER, World, plain_picture

GALLERY, HISTORY = "facefusion_output_gallery", "facefusion_processing_history"


def test_one_picture_without_a_face_stops_no_other(world: World, target: str) -> None:
    plain = world.picture("plain.png", plain_picture())

    with pytest.raises(StepsFailed, match="enhance picture 2: No face was found") as failed:
        enhance_faces(CHARACTER, [target, plain])

    report = failed.value.report
    assert [step.outcome for step in report.steps] == ["done", "failed"]
    assert world.character()[GALLERY]["enhanced_faces"] == [report.steps[0].output_url]
    assert [entry["success"] for entry in world.character()[HISTORY]] == [True, False]


def test_a_picture_that_cannot_be_had_skips_its_own_step_and_a_long_sheet_has_pages(
    world: World, target: str
) -> None:
    """Each picture is a small one of its own, and some are not there."""
    with Image.open(target) as image:
        small = image.convert("RGB").resize((180, 144))
    given = [world.picture(f"{n}.png", ImageOps.expand(small, n)) for n in range(25)]
    given[3], given[20] = "/nowhere.png", "/nowhere-else.png"

    with pytest.raises(StepsFailed, match="enhance picture 4: There is no picture at") as failed:
        enhance_faces(CHARACTER, given, longest_side=256)

    report = failed.value.report
    outcomes = [step.outcome for step in report.steps]
    assert [n for n, outcome in enumerate(outcomes) if outcome == "skipped"] == [3, 20]
    assert len(world.character()[GALLERY]["enhanced_faces"]) == 23
    assert len(report.contact_sheet_pages) == 2


def test_without_pictures_it_is_the_reference_image_of_the_character(world: World) -> None:
    report = enhance_faces(CHARACTER)

    assert [step.step for step in report.steps] == ["enhance picture"]
    assert len(world.character()[GALLERY]["enhanced_faces"]) == 1


@pytest.mark.parametrize(("keep", "added"), [(False, 0), (True, 2)])
def test_a_comparison_has_figures_for_each_picture(world: World, keep: bool, added: int) -> None:
    state = compare_enhancers(
        CHARACTER,
        models=[EnhancementModel.GFPGAN_1_4],
        blends=[0.5, 1.0],
        keep=keep,
        return_state=True,
    )

    assert [step.outcome for step in state.result().steps] == ["done", "done"]
    assert len(world.character().get(GALLERY, {}).get("custom_outputs", [])) == added
    (table,) = shown_by(state)[1][f"compare-enhancers-{CHARACTER}-comparison"]
    assert '"mean change": "0.0"' not in str(table.data)
    assert str(table.data).count("sharpness") == 2


def test_a_mask_is_named_by_the_history_and_by_no_gallery(world: World) -> None:
    report = mask_face(CHARACTER)

    (step,) = report.steps
    (entry,) = world.character()[HISTORY]
    assert (step.outcome, step.faces_detected) == ("done", 1)
    assert (entry["operation_type"], entry["output_image_url"]) == ("mask", step.output_url)
    assert GALLERY not in world.character()


def test_faces_are_numbered_in_their_order_and_kept_as_data(world: World, group: str) -> None:
    settings = FaceSettings(face_selector_order=FaceSelectorOrder.RIGHT_LEFT)
    before = world.character()
    report = detect_faces(pictures=[group], settings=settings)

    found = json.loads(world.store.read(world.store.path_of(report.data or "") or ""))
    assert [face["number"] for face in found] == [0, 1, 2]
    assert [face["x"] for face in found] == sorted((face["x"] for face in found), reverse=True)
    assert found[0].keys() >= {"picture", "x", "y", "width", "height", "score", "estimated_age"}
    assert found[0].keys() >= {"yaw", "pitch", "roll"}
    assert world.character() == before


def test_a_sweep_makes_a_picture_for_each_value(world: World) -> None:
    sweep = Sweep(field="face_editor_mouth_smile", values=[-60, 0, 60])
    report = edit_expression(CHARACTER, face_editor_head_roll=10, sweep=sweep)

    assert [step.step for step in report.steps] == [
        "mouth smile -60",
        "mouth smile 0",
        "mouth smile 60",
    ]
    entries = [entry["parameters"]["face_editor_head_roll"] for entry in world.character()[HISTORY]]
    assert entries == [10, 10, 10]
    assert len(world.character()[GALLERY]["edited_expressions"]) == 3
