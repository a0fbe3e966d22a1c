"""Every example of StoryCanvas's FaceFusion guide as the parameters of a flow.

The guide names the fields of each answer; the same is found in a flow's report and in the history
entry of its step.
"""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from flows.age_progression import age_progression
from flows.batch_process import batch_process
from flows.check_hosts import check_hosts
from flows.compare_enhancers import compare_enhancers
from flows.enhance_faces import enhance_faces
from flows.enhance_then_swap import enhance_then_swap
from flows.face_chain import face_chain
from storycanvas.faces.operations import EnhancementModel
from storycanvas.faces.reports.steps import FaceRunReport
from tests.support.flows.world import CHARACTER, World

GALLERY, HISTORY = "facefusion_output_gallery", "facefusion_processing_history"
MODELS = ["gfpgan_1.4", "codeformer", "restoreformer_plus_plus"]


def last(world: World) -> dict[str, Any]:
    entry: dict[str, Any] = world.character()[HISTORY][-1]
    return entry


def enhanced(world: World, picture: str, model: str = "gfpgan_1.4") -> FaceRunReport:
    report = enhance_faces(CHARACTER, [picture], enhance=EnhancementModel(model))
    assert last(world)["operation_type"] == "enhance"
    return report


def aged(picture: str, age: int) -> FaceRunReport:
    return age_progression(
        CHARACTER, [age], base_image=picture, base_age=35, enhance=None, intermediates="never"
    )


def swapped(face: str, target: str) -> FaceRunReport:
    return enhance_then_swap(CHARACTER, target, face, enhance_source=None, enhance_result=None)


Answer = Mapping[str, object]
"""An answer of the guide, by the names of its fields."""


def enhance_answer(world: World, target: str) -> tuple[Answer, Answer]:
    report = enhanced(world, target)
    entry = last(world)
    answer = {
        "character_id": report.character_id,
        "original_image": entry["input_image_url"],
        "enhanced_image": entry["output_image_url"],
        "enhancement_model": entry["parameters"]["enhancement_model"],
        "message": report.summary(),
    }
    expected = {
        "character_id": CHARACTER,
        "original_image": entry["input_image_url"],
        "enhanced_image": report.steps[0].output_url,
        "enhancement_model": "gfpgan_1.4",
        "message": "1 step: 1 done.",
    }
    return answer, expected


def age_answer(world: World, target: str) -> tuple[Answer, Answer]:
    report = aged(target, 45)
    entry = last(world)
    answer = {
        "character_id": report.character_id,
        "original_image": entry["input_image_url"],
        "adjusted_image": entry["output_image_url"],
        "target_age": entry["parameters"]["target_age"],
        "message": report.summary(),
    }
    expected = {
        "character_id": CHARACTER,
        "original_image": entry["input_image_url"],
        "adjusted_image": world.character()[GALLERY]["age_variants"]["45"],
        "target_age": 45,
        "message": "1 step: 1 done.",
    }
    return answer, expected


def swap_answer(world: World, target: str) -> tuple[Answer, Answer]:
    face = world.character()["reference_images"][0]
    report = swapped(face, target)
    entry = last(world)
    parameters = entry["parameters"]
    answer = {
        "character_id": report.character_id,
        "source_face": parameters["source_face_url"],
        "target_image": parameters["target_image_url"],
        "swapped_image": entry["output_image_url"],
        "message": report.summary(),
    }
    expected = {
        "character_id": CHARACTER,
        "source_face": entry["input_image_url"],
        "target_image": parameters["target_image_url"],
        "swapped_image": world.character()[GALLERY]["swapped_faces"][-1],
        "message": "1 step: 1 done.",
    }
    return answer, expected


def batch_answer(world: World, target: str) -> tuple[Answer, Answer]:
    operations = [
        {"type": "enhance", "image_url": target, "enhancement_model": "gfpgan_1.4"},
        {"type": "age_adjust", "image_url": target, "target_age": 50},
    ]
    report = batch_process(operations, CHARACTER)
    shown = world.character()[GALLERY]
    answer = {
        "character_id": report.character_id,
        "total_operations": report.total_operations,
        "successful_operations": report.completed_operations,
        "failed_operations": report.failed_operations,
        "results": [(result.success, result.output_url) for result in report.results],
    }
    expected = {
        "character_id": CHARACTER,
        "total_operations": 2,
        "successful_operations": 2,
        "failed_operations": 0,
        "results": [
            (True, shown["enhanced_faces"][-1]),
            (True, shown["age_variants"]["50"]),
        ],
    }
    return answer, expected


def status_answer(world: World, _target: str) -> tuple[Answer, Answer]:
    (host,) = [check for check in check_hosts().checks if check.kind == "face host"]
    answer = {"facefusion_url": host.address, "is_online": host.is_up, "status": host.state}
    return answer, {"facefusion_url": world.host.url, "is_online": True, "status": "up"}


@pytest.mark.parametrize(
    "example", [enhance_answer, age_answer, swap_answer, batch_answer, status_answer]
)
def test_a_call_of_the_guide_has_its_answer(
    world: World, target: str, example: Callable[[World, str], tuple[Answer, Answer]]
) -> None:
    answer, expected = example(world, target)

    assert answer == expected


def test_workflow_1_compares_models_before_one_is_chosen(world: World, target: str) -> None:
    compared = compare_enhancers(CHARACTER, target)
    chosen = enhanced(world, target, "codeformer")

    assert [step.outcome for step in compared.steps] == ["done"] * 3
    assert [step.outcome for step in chosen.steps] == ["reused"]
    assert world.character()[GALLERY]["enhanced_faces"] == [chosen.steps[0].output_url]


def test_workflow_2_shows_the_key_ages_of_a_life(world: World, target: str) -> None:
    report = age_progression(CHARACTER, [12, 16, 25, 45, 65], base_image=target, base_age=25)

    assert {step.outcome for step in report.steps} == {"done"}
    assert sorted(world.character()[GALLERY]["age_variants"]) == ["12", "16", "25", "45", "65"]


def test_workflow_3_enhances_the_result_of_a_swap(world: World, target: str) -> None:
    face = world.character()["reference_images"][0]
    by_flow = enhance_then_swap(
        CHARACTER, target, face, enhance_source=None, enhance_result=EnhancementModel.CODEFORMER
    )
    by_hand = enhanced(world, str(swapped(face, target).steps[0].output_url), "codeformer")

    assert by_hand.steps[0].outcome == "reused"
    assert by_hand.steps[0].output_url == by_flow.steps[-1].output_url


def test_workflow_4_compares_models_in_a_batch(world: World, target: str) -> None:
    operations = [
        {"type": "enhance", "image_url": target, "enhancement_model": model} for model in MODELS
    ]
    report = batch_process(operations, CHARACTER)

    made = [entry["parameters"]["enhancement_model"] for entry in world.character()[HISTORY]]
    assert sorted(made) == sorted(MODELS)
    assert len({result.output_url for result in report.results}) == len(MODELS)


def test_workflow_4_makes_an_age_gallery_in_a_batch(world: World, target: str) -> None:
    ages = [15, 25, 35, 45, 55, 65]
    operations = [{"type": "age_adjust", "image_url": target, "target_age": age} for age in ages]
    batch_process(operations, CHARACTER)

    assert sorted(world.character()[GALLERY]["age_variants"]) == [str(age) for age in ages]


def test_the_custom_workflow_answers_original_enhanced_and_final(world: World, target: str) -> None:
    report = face_chain(
        CHARACTER,
        "enhance-and-age",
        pictures={"start": target},
        values={"target_age": 50, "finish": False},
    )

    enhanced_entry, aged_entry = world.character()[HISTORY]
    answer = {
        "original": enhanced_entry["input_image_url"],
        "enhanced": report.steps[0].output_url,
        "final": report.steps[1].output_url,
    }
    assert answer == {
        "original": enhanced_entry["input_image_url"],
        "enhanced": aged_entry["input_image_url"],
        "final": aged_entry["output_image_url"],
    }
    assert enhanced_entry["parameters"]["enhancement_model"] == "codeformer"


def test_chaining_enhances_before_and_after(world: World, target: str) -> None:
    by_chain = face_chain(
        CHARACTER, "enhance-and-age", pictures={"start": target}, values={"target_age": 50}
    )
    kinds = [entry["operation_type"] for entry in world.character()[HISTORY]]

    assert kinds == ["enhance", "age_adjust", "enhance"]
    assert world.character()[GALLERY]["age_variants"] == {"50": by_chain.steps[-1].output_url}
