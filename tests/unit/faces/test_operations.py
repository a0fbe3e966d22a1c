"""Operations: names, ranges and defaults of docs/schema.md, keys by meaning, plans that fit."""

import pytest
from pydantic import ValidationError

from storycanvas.faces.errors import PlanInvalid
from storycanvas.faces.operation_key import operation_key
from storycanvas.faces.operations import (
    OPERATIONS,
    AgeAdjustOperation,
    DetectOperation,
    EditOperation,
    EnhanceOperation,
    FaceOperation,
    MaskOperation,
    SwapOperation,
    parse_operation,
)
from storycanvas.faces.plan import Gallery, Plan, PlanPicture, Step

SLIDERS = sorted(name for name in EditOperation.model_fields if name.startswith("face_editor_"))

IN_RANGE = [
    ("enhance", "face_enhancer_blend", 0.0),
    ("enhance", "face_enhancer_blend", 1.0),
    ("age_adjust", "target_age", 0),
    ("age_adjust", "target_age", 100),
    ("age_adjust", "age_adjustment_blend", 0.0),
    *[("edit", name, value) for name in SLIDERS for value in (-100, 0, 100)],
    ("detect", "face_detector_model", "yolo_face"),
    ("detect", "face_selector_mode", "all"),
    ("mask", "face_mask_types", ["box", "occlusion"]),
]

OUT_OF_RANGE = [
    ("enhance", "face_enhancer_blend", -0.01),
    ("enhance", "face_enhancer_blend", 1.01),
    ("enhance", "face_enhancer_blend", 80),
    ("enhance", "enhancement_model", "gfpgan"),
    ("age_adjust", "target_age", -1),
    ("age_adjust", "target_age", 101),
    ("age_adjust", "target_age", 30.5),
    *[("edit", name, value) for name in SLIDERS for value in (-101, 101, 0.5)],
    ("swap", "face_swapper_model", "inswapper_512"),
    ("detect", "face_detector_size", "320x320"),
    ("detect", "face_selector_order", "left"),
    ("mask", "face_mask_types", []),
    ("enhance", "unknown_field", 1),
]

WIRE_NAMES = [
    (EnhanceOperation, {"face_enhancer_model", "face_enhancer_blend"}),
    (AgeAdjustOperation, {"face_editor_age", "face_editor_blend"}),
    (SwapOperation, {"face_swapper_model"}),
    (MaskOperation, {"face_mask_types", "face_selector_mode"}),
    (DetectOperation, {"face_detector_model", "face_detector_size"}),
]


def minimal(kind: str) -> dict[str, object]:
    return {"operation_type": kind, **({"target_age": 45} if kind == "age_adjust" else {})}


@pytest.mark.parametrize(("kind", "field", "value"), IN_RANGE)
def test_a_value_in_range_is_taken(kind: str, field: str, value: object) -> None:
    parse_operation({**minimal(kind), field: value})


@pytest.mark.parametrize(("kind", "field", "value"), OUT_OF_RANGE)
def test_a_value_out_of_range_is_refused(kind: str, field: str, value: object) -> None:
    with pytest.raises(ValidationError):
        parse_operation({**minimal(kind), field: value})


@pytest.mark.parametrize(("operation", "names"), WIRE_NAMES)
def test_the_wire_names_are_those_of_the_face_host_contract(
    operation: type, names: set[str]
) -> None:
    aliases = {info.alias or name for name, info in operation.model_fields.items()}

    assert names <= aliases


def test_the_editor_has_the_fourteen_sliders_and_sends_none_of_them_by_default() -> None:
    assert len(SLIDERS) == 14
    assert EditOperation().model_dump(exclude_none=True, include=set(SLIDERS)) == {}


def test_each_operation_is_found_by_its_type() -> None:
    kinds = [operation.model_fields["operation_type"].default for operation in OPERATIONS]

    assert kinds == ["enhance", "age_adjust", "swap", "edit", "mask", "detect"]
    assert [type(parse_operation(minimal(kind))) for kind in kinds] == list(OPERATIONS)


def test_both_spellings_of_the_detector_are_one_value() -> None:
    old, new = (DetectOperation(face_detector_model=name) for name in ("yoloface", "yolo_face"))

    assert old == new


def test_small_detector_sizes_belong_to_the_detectors_that_have_them() -> None:
    parse_operation(
        {
            "operation_type": "detect",
            "face_detector_model": "retinaface",
            "face_detector_size": "320x320",
        }
    )


KEY_PARTS = {
    "operation": EnhanceOperation(),
    "input_hashes": ["a"],
    "engine": "preview",
    "engine_version": "1",
}

DIFFERENT: list[dict[str, object]] = [
    {"operation": EnhanceOperation(face_enhancer_blend=0.5)},
    {"operation": AgeAdjustOperation(target_age=45)},
    {"input_hashes": ["b"]},
    {"input_hashes": ["a", "b"]},
    {"engine": "facefusion"},
    {"engine_version": "2"},
]

SAME: list[tuple[dict[str, object], FaceOperation]] = [
    ({"operation_type": "enhance", "face_enhancer_blend": 1}, EnhanceOperation()),
    ({"operation_type": "enhance", "face_enhancer_model": "gfpgan_1.4"}, EnhanceOperation()),
    ({"operation_type": "enhance", "face_detector_model": "yolo_face"}, EnhanceOperation()),
]


def key(**changes: object) -> str:
    return operation_key(**{**KEY_PARTS, **changes})


@pytest.mark.parametrize("change", DIFFERENT)
def test_another_meaning_is_another_key(change: dict[str, object]) -> None:
    assert key(**change) != key()


@pytest.mark.parametrize(("document", "operation"), SAME)
def test_another_spelling_of_the_same_meaning_is_the_same_key(
    document: dict[str, object], operation: FaceOperation
) -> None:
    assert key(operation=parse_operation(document)) == key(operation=operation)


def test_the_order_of_pictures_matters() -> None:
    assert key(input_hashes=["a", "b"]) != key(input_hashes=["b", "a"])


def test_a_key_stays_the_same_from_release_to_release() -> None:
    """A change here forgets everything that ledgers hold: raise KEY_VERSION when it is meant."""
    assert key() == "df03399547fccc57da8f572fd1fc2a2b8f33e4e4f57bf0d7e2fc801de87ebf09"


BASE = PlanPicture(name="base", reference="base.png")


def step(name: str, *inputs: str, **more: object) -> Step:
    return Step(name=name, operation=EnhanceOperation(), inputs=inputs, **more)


MISFITS = [
    ((step("base", "base"),), "uses the name 'base' twice"),
    ((step("a", "base"), step("a", "base")), "uses the name 'a' twice"),
    ((step("a", "nowhere"),), "takes 'nowhere'"),
    ((step("a", "b"), step("b", "base")), "takes 'b'"),
    ((step("a"),), "has 0 inputs; enhance takes 1"),
    ((step("a", "base", "base", "base"),), "has 3 inputs; enhance takes 1, or 2 with a reference"),
    ((Step(name="s", operation=SwapOperation(), inputs=("base",)),), "swap takes 2"),
    (
        (Step(name="d", operation=DetectOperation(), inputs=("base",)), step("a", "d")),
        "nor the picture of an earlier step",
    ),
    ((step("a", "base", gallery=Gallery.AGE_VARIANTS),), "must name an age"),
    ((step("a", "base", age=40),), "must name an age"),
]


@pytest.mark.parametrize(("steps", "reason"), MISFITS)
def test_a_plan_that_does_not_fit_is_refused(steps: tuple[Step, ...], reason: str) -> None:
    with pytest.raises(PlanInvalid, match=reason):
        Plan(pictures=(BASE,), steps=steps)


def test_steps_may_take_pictures_and_earlier_steps() -> None:
    plan = Plan(pictures=(BASE,), steps=(step("a", "base"), step("b", "a")))

    assert [s.name for s in plan.steps] == ["a", "b"]


@pytest.mark.parametrize(
    ("operation", "key"),
    [
        (
            EnhanceOperation(),
            "7f6a88c07f5fe528085b27c74db32795f89737a42064a0cefc57e663bed8e307",
        ),
        (
            AgeAdjustOperation(target_age=45, age_adjustment_blend=0.7),
            "c1cb3f6e39a53b794dc6c765d637f1bddd15c9470e6e08501498427119d58034",
        ),
        (
            SwapOperation(),
            "6b449263e499d89e3105b25d6f797c2be2d5dd577b0174ed4eeca1381b2ff95d",
        ),
        (
            EditOperation(face_editor_mouth_smile=40),
            "55cb1e1cc66e79716cf5d761070fd238f8ef441c4772660a6b6c881640f0121a",
        ),
    ],
    ids=["enhance", "age_adjust", "swap", "edit"],
)
def test_the_key_of_what_was_done_long_ago_stays(operation: FaceOperation, key: str) -> None:
    """A key that changes makes all that a ledger holds unknown, and it is done again."""
    hashes = ["a" * 64, "b" * 64][: len(operation.pictures)]
    assert operation_key(operation, hashes, "preview", "1") == key
