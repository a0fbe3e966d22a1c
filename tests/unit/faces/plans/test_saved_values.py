"""What may be saved as a preset, and how it is read back by a run."""

from typing import Any, get_args

import pytest

from storycanvas.faces.chain import CHAIN, Chain, saved_chain_of, shipped_chains
from storycanvas.faces.errors import BadField, ChainInvalid, FaceError, OutOfRange
from storycanvas.faces.operations import (
    OPERATIONS,
    AgeAdjustOperation,
    EnhanceOperation,
    SwapOperation,
)
from storycanvas.faces.preferences import Preferences
from storycanvas.faces.recipes.presets import PresetKind, preset_parameters

STEP = {"name": "restored", "operation_type": "enhance"}
AGED = {"name": "aged", "operation_type": "age_adjust", "target_age": "$age"}
AGE = {"type": "integer"}


def test_there_is_a_kind_for_each_operation_and_for_chains() -> None:
    kinds = [kind.model_fields["operation_type"].default for kind in OPERATIONS]

    assert [*get_args(PresetKind)] == [*kinds, CHAIN]


@pytest.mark.parametrize(
    ("kind", "given", "kept"),
    [
        ("enhance", {"face_enhancer_blend": 1}, {"face_enhancer_blend": 1.0}),
        ("enhance", {"enhancement_model": "codeformer"}, {"enhancement_model": "codeformer"}),
        ("age_adjust", {"age_adjustment_blend": 0.5}, {"age_adjustment_blend": 0.5}),
        ("age_adjust", {"target_age": 40}, {"target_age": 40}),
        ("swap", {"face_mask_types": ("box",)}, {"face_mask_types": ["box"]}),
        ("edit", {"face_editor_mouth_smile": None}, {"face_editor_mouth_smile": None}),
        ("mask", {"face_box": [1, 2, 3, 4]}, {"face_box": [1, 2, 3, 4]}),
        ("detect", {"face_detector_model": "yolo_face"}, {"face_detector_model": "yoloface"}),
        ("detect", {"face_position": 0}, {"face_position": 0}),
    ],
)
def test_some_fields_of_an_operation_are_enough(
    kind: PresetKind, given: dict[str, Any], kept: dict[str, Any]
) -> None:
    stored = preset_parameters(kind, "mine", given)

    assert stored == kept
    assert [type(value) for value in stored.values()] == [type(value) for value in kept.values()]


@pytest.mark.parametrize(
    ("kind", "given", "error", "sentence"),
    [
        ("enhance", {}, BadField, "no values"),
        (
            "enhance",
            {"face_enhancer_blend": 1.5},
            OutOfRange,
            "face_enhancer_blend = 1.5 .*than or",
        ),
        ("enhance", {"face_enhancer_blend": True}, OutOfRange, "true or false"),
        ("enhance", {"face_enhancer_blend": float("nan")}, OutOfRange, "face_enhancer_blend = nan"),
        ("enhance", {"enhancement_model": "magic"}, OutOfRange, "enhancement_model = 'magic'"),
        (
            "enhance",
            {"face_enhancer_blnd": 1},
            BadField,
            "nearest known name is face_enhancer_blend",
        ),
        ("enhance", {"face_enhancer_model": "codeformer"}, BadField, "name is enhancement_model"),
        ("enhance", {"operation_type": "swap"}, BadField, "operation_type"),
        ("enhance", {"reference_image": "a.png"}, BadField, "reference_image"),
        ("age_adjust", {"target_age": 101}, OutOfRange, "target_age = 101"),
        ("age_adjust", {"target_age": None}, OutOfRange, "target_age = None"),
        ("swap", {"face_swapper_pixel_boost": "2x2"}, OutOfRange, "pixel_boost 2x2 is not one of"),
        ("age_adjust", {"output_quality": 80}, OutOfRange, "name another output_format"),
        ("edit", {"face_editor_head_yaw": 10**5000}, OutOfRange, "a number of more than 64 bits"),
        ("edit", {"face_editor_head_yaw": "x" * 90_000}, OutOfRange, "'x{59}… "),
    ],
)
def test_what_an_operation_does_not_take_is_refused_by_its_name(
    kind: PresetKind, given: dict[str, Any], error: type[FaceError], sentence: str
) -> None:
    with pytest.raises(error, match=sentence):
        preset_parameters(kind, "mine", given)


@pytest.mark.parametrize("operation", [EnhanceOperation, AgeAdjustOperation, SwapOperation])
def test_a_run_takes_every_value_that_was_saved(operation: type[EnhanceOperation]) -> None:
    kind = operation.model_fields["operation_type"].default
    given = {"output_format": "jpeg", "output_quality": 80, "face_mask_types": ["box", "region"]}
    saved = Preferences(preset=preset_parameters(kind, "mine", given), preset_operation=kind)

    made, sources = saved.resolve(operation, fitted={"target_age": 40}, explicit={})

    assert {name: source for name, source in sources.items() if name in given} == dict.fromkeys(
        given, "preset"
    )
    assert made.model_dump(mode="json").items() >= given.items()


@pytest.mark.parametrize("shipped", shipped_chains().values(), ids=lambda chain: chain.name)
def test_a_chain_that_was_saved_is_the_same_when_it_is_read(shipped: Chain) -> None:
    parts = shipped.model_dump(mode="json", exclude={"name", "description"})

    stored = preset_parameters("chain", "mine", parts)

    read = saved_chain_of("mine", stored)
    assert read == shipped.model_copy(update={"name": "mine", "description": ""})


@pytest.mark.parametrize(
    ("name", "parts", "sentence"),
    [
        ("mine", {}, "steps: Field required"),
        ("mine", {"steps": []}, "at least 1"),
        ("enhance-and-age", {"steps": [STEP]}, "save it under another name"),
        ("mine", {"name": "mine", "steps": [STEP]}, "fields of the preset"),
        (
            "mine",
            {"steps": [{**STEP, "face_enhancer_blend": 2}]},
            "'restored', face_enhancer_blend",
        ),
        ("mine", {"steps": [{**STEP, "blend": 1}]}, "has no such field"),
        ("mine", {"steps": [AGED]}, "there is no parameter 'age'"),
        (
            "mine",
            {"steps": [AGED], "parameters": {"age": {**AGE, "default": 140}}},
            "more than 100",
        ),
        ("mine", {"steps": [STEP], "gallery": {"other": "none"}}, "which is no step"),
    ],
)
def test_a_chain_that_cannot_be_run_is_not_saved(
    name: str, parts: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ChainInvalid, match=sentence):
        preset_parameters("chain", name, parts)


@pytest.mark.parametrize("default", [{}, {"default": 5}, {"default": 50}])
def test_a_chain_may_leave_its_ages_to_the_run(default: dict[str, int]) -> None:
    parts = {"steps": [AGED], "parameters": {"age": {**AGE, **default}}}

    assert preset_parameters("chain", "mine", parts) == parts
