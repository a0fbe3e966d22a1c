"""Settings that a person names in the form of a face flow, on a picture with three faces."""

from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image
from prefect import flow

from db.errors import CharacterWithoutPicture
from flows.age_progression import age_progression
from flows.batch_process import batch_process
from flows.compare_enhancers import compare_enhancers
from flows.edit_expression import edit_expression
from flows.enhance_faces import enhance_faces
from flows.enhance_then_swap import enhance_then_swap
from flows.face_chain import face_chain
from flows.mask_face import mask_face
from storycanvas.faces.operations import (
    EnhancementModel,
    FaceSelectorOrder,
    MaskOperation,
    OutputFormat,
)
from storycanvas.faces.plan import Plan, PlanPicture, Step
from storycanvas.faces.recipes.pipeline import Pipeline, RecipeInput
from storycanvas.faces.reports.steps import FaceRunReport
from storycanvas.faces.settings import FaceSettings
from tasks.faces.run import RunOptions, run_pipeline
from tests.support.flows.world import CHARACTER, GROUP_SIDE, World


def thirds(report: FaceRunReport) -> list[list[int]]:
    """In which third of the picture each step's faces lie."""
    return [[face[0] // GROUP_SIDE for face in step.faces] for step in report.steps]


def changed_thirds(world: World, report: FaceRunReport, before: str) -> list[int]:
    path = world.folder / "made.png"
    path.write_bytes(world.store.read(report.steps[-1].output_path or ""))
    with Image.open(before) as given, Image.open(path) as result:
        boxes = [
            (place * GROUP_SIDE, 0, (place + 1) * GROUP_SIDE, GROUP_SIDE) for place in range(3)
        ]
        made = result.convert("RGB")
        return [
            place
            for place, box in enumerate(boxes)
            if given.crop(box).tobytes() != made.crop(box).tobytes()
        ]


@pytest.mark.parametrize(
    ("settings", "place"),
    [
        (FaceSettings(), 0),
        (FaceSettings(face_position=1), 1),
        (FaceSettings(face_position=1, face_selector_order=FaceSelectorOrder.RIGHT_LEFT), 1),
        (FaceSettings(face_selector_order=FaceSelectorOrder.RIGHT_LEFT), 2),
    ],
)
def test_the_chosen_face_alone_is_worked_on_and_named_by_its_box(
    world: World, group: str, settings: FaceSettings, place: int
) -> None:
    report = age_progression(CHARACTER, [65], base_image=group, base_age=40, settings=settings)

    assert thirds(report) == [[place], [place]]
    assert changed_thirds(world, report, group) == [place]


def test_a_box_chooses_the_face_that_it_overlaps_most(world: World, group: str) -> None:
    middle = FaceSettings(face_position=1)
    found = age_progression(CHARACTER, [60], base_image=group, base_age=40, settings=middle)
    x, y, width, height = found.steps[0].faces[0]
    box = FaceSettings(face_box=(x + 5, y + 5, width, height))
    report = age_progression(CHARACTER, [65], base_image=group, base_age=40, settings=box)

    assert thirds(report) == [[1], [1]]
    assert changed_thirds(world, report, group) == [1]


def test_a_swap_takes_the_chosen_face_of_its_target(world: World, group: str) -> None:
    settings = FaceSettings(face_position=2)
    report = enhance_then_swap(
        CHARACTER, group, enhance_source=None, enhance_result=None, settings=settings
    )

    assert thirds(report) == [[2]]
    assert changed_thirds(world, report, group) == [2]


def sweep(**parameters: Any) -> FaceRunReport:
    return edit_expression(face_editor_mouth_smile=50, **parameters)


def chain(pictures: list[str], **parameters: Any) -> FaceRunReport:
    return face_chain(chain="enhance-and-age", pictures={"start": pictures[0]}, **parameters)


def batch(**parameters: Any) -> FaceRunReport:
    return batch_process([{"type": "enhance"}, {"type": "edit", "mouth_smile": 9}], **parameters)


def comparison(picture: str, **parameters: Any) -> FaceRunReport:
    models = [EnhancementModel.GFPGAN_1_4]
    return compare_enhancers(picture=picture, models=models, **parameters)


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize(
    ("run", "field"),
    [
        (enhance_faces, "pictures"),
        (sweep, "picture"),
        (mask_face, "picture"),
        (comparison, "picture"),
        (chain, "pictures"),
        (batch, "pictures"),
    ],
)
def test_every_flow_works_on_the_face_that_is_chosen(
    group: str, run: Callable[..., FaceRunReport], field: str
) -> None:
    given = {field: [group] if field == "pictures" else group}
    report = run(**given, settings=FaceSettings(face_position=1))

    assert {tuple(places) for places in thirds(report)} == {(1,)}
    assert {step.faces_detected for step in report.steps} <= {3, None}


@pytest.mark.usefixtures("world")
def test_a_finished_picture_has_the_format_that_was_named() -> None:
    settings = FaceSettings(output_format=OutputFormat.JPEG, output_quality=80)
    report = age_progression(CHARACTER, [65], base_age=40, settings=settings)

    assert [(step.output_path or "").rpartition(".")[2] for step in report.steps] == ["png", "jpg"]


@flow(name="masks")
def masks(picture: str | None = None) -> FaceRunReport:
    """A recipe of this test: the mask of a face, for no character."""

    def plan(found: RecipeInput) -> Plan:
        operation, sources = found.preferences.resolve(MaskOperation, fitted={}, explicit={})
        face = PlanPicture(name="face", reference=found.pictures["face"], label="face")
        mask = Step(
            name="mask", operation=operation, inputs=("face",), label="mask", sources=sources
        )
        return Plan(pictures=(face,), steps=(mask,))

    return run_pipeline(RunOptions(), Pipeline({"face": picture}, plan, source="face"))


def test_without_a_character_pictures_are_made_and_no_document_of_one_changes(
    world: World, group: str
) -> None:
    before = world.character()
    report = masks(group)

    assert [step.outcome for step in report.steps] == ["done"]
    assert report.character_id is None
    assert world.character() == before
    assert world.database["facefusion_operations"].count_documents({"effects": []}) == 2


@pytest.mark.usefixtures("world")
def test_neither_a_character_nor_a_picture_is_refused_in_a_sentence() -> None:
    with pytest.raises(CharacterWithoutPicture, match="neither a picture nor a character"):
        masks()


@flow(name="sizes")
def sizes(picture: str) -> FaceRunReport:
    """A recipe of this test: one picture as it is, and reduced to two sizes."""

    def plan(found: RecipeInput) -> Plan:
        names = {"whole": None, "smaller": 750, "smallest": 600}
        pictures = [
            PlanPicture(name=name, reference=found.pictures["face"], label=name, longest_side=side)
            for name, side in names.items()
        ]
        steps = [
            Step(name=f"mask of {name}", operation=MaskOperation(), inputs=(name,), label=name)
            for name in names
        ]
        return Plan(pictures=tuple(pictures), steps=tuple(steps))

    return run_pipeline(RunOptions(), Pipeline({"face": picture}, plan))


def test_a_reduced_picture_is_an_input_of_its_own(world: World, group: str) -> None:
    report = sizes(group)

    assert [step.outcome for step in report.steps] == ["done"] * 3
    records = list(world.database["facefusion_operations"].find())
    made = sorted((record["output"]["width"], record["output"]["height"]) for record in records)
    assert made == [(600, 200), (750, 250), (900, 300)]
    assert len({record["inputs"][0] for record in records}) == 3


def test_a_run_on_a_reduced_picture_makes_pictures_of_that_size(world: World, group: str) -> None:
    age_progression(CHARACTER, [65], base_image=group, base_age=40, longest_side=600)

    made = [found["output"] for found in world.database["facefusion_operations"].find()]
    assert {(output["width"], output["height"]) for output in made if output} == {(600, 200)}
