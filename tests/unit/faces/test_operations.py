"""The operations carry StoryCanvas's names, ranges and defaults (docs/schema.md, Characters)."""

import pytest
from pydantic import ValidationError

from storycanvas.faces.operations import (
    OPERATIONS,
    AgeAdjustOperation,
    DetectOperation,
    EditOperation,
    EnhanceOperation,
    MaskOperation,
    SwapOperation,
    parse_operation,
)

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
