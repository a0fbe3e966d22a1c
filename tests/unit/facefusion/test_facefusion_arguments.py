"""Every operation, with every bound, becomes a command line that FaceFusion takes."""

from itertools import combinations, product

import pytest

from storycanvas.faces.operations import (
    PIXEL_BOOSTS,
    AgeAdjustOperation,
    DetectOperation,
    EditOperation,
    EnhancementModel,
    EnhanceOperation,
    FaceDetectorModel,
    FaceDetectorSize,
    FaceMaskType,
    FaceOperation,
    FaceSelectorMode,
    FaceSelectorOrder,
    FaceSwapperModel,
    MaskOperation,
    SwapOperation,
    parse_operation,
)
from storycanvas.host.engines.facefusion.translation.ages import AGE_CLASSES, AgeClass
from storycanvas.host.engines.facefusion.translation.operation import (
    FacesOfRun,
    must_change,
    translate,
)
from tests.support.facefusion.contract_check import complaints, dests

BLENDS = (0, 0.004, 0.5, 0.996, 1)
SLIDERS = tuple(name for name in EditOperation.model_fields if name.startswith("face_editor"))
SLID = (-100, -33, -1, 0, 1, 33, 100, None)
SMALL = {FaceDetectorModel.RETINAFACE, FaceDetectorModel.SCRFD}
SIZES = [
    (model, size)
    for model, size in product(FaceDetectorModel, FaceDetectorSize)
    if model in SMALL or size is FaceDetectorSize.SIZE_640
]
MASKS = [kinds for count in range(1, 5) for kinds in combinations(FaceMaskType, count)]
MASKED = ("enhance", "swap", "edit", "mask")


def asked(kind: str, **fields: object) -> tuple[str, dict[str, object]]:
    """Name a request by its values."""
    return f"{kind}-{'-'.join(map(str, fields.values()))}", {"operation_type": kind, **fields}


ASKED = dict(
    [
        *(
            asked("enhance", enhancement_model=model, face_enhancer_blend=blend)
            for model, blend in product(EnhancementModel, BLENDS)
        ),
        *(asked("swap", face_swapper_model=model) for model in FaceSwapperModel),
        *(
            (f"edit-{name}-{value}", {"operation_type": "edit", name: value})
            for name, value in product(SLIDERS, SLID)
        ),
        *(
            asked("detect", face_selector_mode=mode, face_selector_order=order)
            for mode, order in product(FaceSelectorMode, FaceSelectorOrder)
        ),
        *(
            asked("detect", face_detector_model=model, face_detector_size=size)
            for model, size in SIZES
        ),
        *(
            (f"{kind}-{'-'.join(masks)}", {"operation_type": kind, "face_mask_types": masks})
            for kind, masks in product(MASKED, MASKS)
        ),
    ]
)
AGEING = AgeAdjustOperation(target_age=60)
DECIDING = {
    "face_selector_mode", "face_selector_order", "face_selector_age_start",
    "face_selector_age_end", "reference_face_position", "reference_face_distance",
    "face_detector_model", "face_detector_size", "face_detector_angles", "face_detector_margin",
    "face_detector_score", "face_landmarker_model", "face_landmarker_score",
    "output_image_quality", "output_image_scale",
}  # fmt: skip
MASKING = {
    "face_mask_types", "face_mask_areas", "face_mask_regions", "face_mask_blur",
    "face_mask_padding", "face_occluder_model", "face_parser_model",
}  # fmt: skip
OWN = {
    EnhanceOperation(): {"face_enhancer_model", "face_enhancer_blend", "face_enhancer_weight"},
    SwapOperation(): {"face_swapper_model", "face_swapper_pixel_boost", "face_swapper_weight"},
    EditOperation(): {"face_editor_model", *SLIDERS},
    MaskOperation(): {"face_debugger_items"},
    AGEING: {"age_modifier_model", "age_modifier_direction"},
}


def value_of(arguments: tuple[str, ...], option: str) -> str:
    return arguments[arguments.index(option) + 1]


@pytest.mark.parametrize("fields", ASKED.values(), ids=ASKED)
def test_an_operation_becomes_arguments_that_facefusion_takes(fields: dict[str, object]) -> None:
    assert complaints(translate(parse_operation(fields)).arguments) == []


@pytest.mark.parametrize("direction", range(-100, 101))
def test_every_direction_is_taken(direction: int) -> None:
    arguments = translate(AGEING, direction=direction).arguments

    assert complaints(arguments) == []
    assert value_of(arguments, "--age-modifier-direction") == str(direction)


@pytest.mark.parametrize("age", AGE_CLASSES, ids=str)
@pytest.mark.parametrize("mode", FaceSelectorMode)
@pytest.mark.parametrize("kept", [False, True])
def test_every_choice_for_one_run_is_taken(
    age: AgeClass, mode: FaceSelectorMode, kept: bool
) -> None:
    ageing = AGEING.model_copy(update={"face_selector_mode": mode})
    faces = FacesOfRun((age.start, age.end), kept, reference_position=63, reference_distance=0.05)

    assert complaints(translate(ageing, direction=1, faces=faces).arguments) == []


@pytest.mark.parametrize(
    ("model", "boost"),
    [(model, boost) for model, boosts in PIXEL_BOOSTS.items() for boost in boosts],
)
def test_a_swap_is_made_at_every_size_of_its_model(model: FaceSwapperModel, boost: str) -> None:
    swap = SwapOperation(face_swapper_model=model, face_swapper_pixel_boost=boost)
    translation = translate(swap)

    assert complaints(translation.arguments) == []
    assert value_of(translation.arguments, "--face-swapper-pixel-boost") == boost
    assert translation.used["face_swapper_pixel_boost"] == boost


@pytest.mark.parametrize(
    ("asked", "taken"), [(0.3, "0.30"), (0.06, "0.05"), (0.33, "0.35"), (1.0, "1.00")]
)
def test_the_distance_of_a_reference_face_is_on_facefusions_grid(asked: float, taken: str) -> None:
    translation = translate(DetectOperation(reference_face_distance=asked))

    assert complaints(translation.arguments) == []
    assert value_of(translation.arguments, "--reference-face-distance") == taken
    assert translation.used.get("reference_face_distance", asked) == float(taken)


def test_faces_are_looked_for_at_the_angles_asked_for() -> None:
    arguments = translate(EnhanceOperation(face_detector_angles=(0, 90, 270))).arguments

    assert complaints(arguments) == []
    place = arguments.index("--face-detector-angles")
    assert arguments[place + 1 : place + 4] == ("0", "90", "270")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--face-selector-mood", "one"), "unknown"),
        (("--face-selector-mode", "all"), "not a choice"),
        (("--face-detector-size", "320x320"), "not a choice"),
        (("--face-enhancer-blend", "80.0"), "not int"),
        (("--face-enhancer-weight", "0.33"), "not a choice"),
        (("--face-editor-head-yaw", "1.05"), "not a choice"),
        (("--face-selector-mode", "one", "many"), "2 values"),
        (("one", "--face-selector-mode"), "before any option"),
    ],
    ids=lambda value: value if isinstance(value, str) else value[0],
)
def test_the_check_itself_refuses(arguments: tuple[str, ...], complaint: str) -> None:
    assert complaint in complaints(arguments)[0]


@pytest.mark.parametrize("operation", OWN, ids=lambda operation: str(operation.operation_type))
def test_nothing_that_decides_a_result_is_left_to_the_ini_file(operation: FaceOperation) -> None:
    options = dests(translate(operation, direction=0).arguments)

    assert options >= DECIDING | MASKING | OWN[operation]


def test_no_option_is_given_twice() -> None:
    arguments = translate(MaskOperation()).arguments
    options = [text for text in arguments if text.startswith("--")]

    assert len(options) == len(set(options))


@pytest.mark.parametrize(
    ("blend", "text", "used"),
    [
        (0, "0", None),
        (0.004, "0", 0.0),
        (0.005, "1", 0.01),
        (0.025, "3", 0.03),
        (0.5, "50", None),
        (0.996, "100", 1.0),
        (1, "100", None),
    ],
    ids=str,
)
def test_a_blend_is_whole_per_cents(blend: float, text: str, used: float | None) -> None:
    translation = translate(EnhanceOperation(face_enhancer_blend=blend))

    assert value_of(translation.arguments, "--face-enhancer-blend") == text
    assert translation.used.get("face_enhancer_blend") == used


@pytest.mark.parametrize(
    ("value", "text", "used"),
    [
        (-100, "-1.00", None),
        (-33, "-0.35", -35),
        (-3, "-0.05", -5),
        (-2, "0.00", 0),
        (-1, "0.00", 0),
        (0, "0.00", None),
        (None, "0.00", None),
        (2, "0.00", 0),
        (3, "0.05", 5),
        (33, "0.35", 35),
        (100, "1.00", None),
    ],
    ids=str,
)
def test_a_slider_goes_to_the_nearest_twentieth(
    value: int | None, text: str, used: int | None
) -> None:
    translation = translate(EditOperation(face_editor_head_yaw=value))

    assert value_of(translation.arguments, "--face-editor-head-yaw") == text
    assert translation.used.get("face_editor_head_yaw") == used


def test_the_owners_swapper_is_replaced_by_a_model_that_exists() -> None:
    translation = translate(SwapOperation(face_swapper_model=FaceSwapperModel.INSWAPPER_256))

    assert value_of(translation.arguments, "--face-swapper-model") == "inswapper_128"
    assert value_of(translation.arguments, "--face-swapper-pixel-boost") == "256x256"
    assert translation.models == ("inswapper_128", "yolo_face")
    assert translation.used == {
        "face_swapper_model": "inswapper_128",
        "face_swapper_pixel_boost": "256x256",
        "face_detector_model": "yolo_face",
    }


@pytest.mark.parametrize(
    ("operation", "asked", "used"),
    [
        ("enhance", ["box"], None),
        ("enhance", ["occlusion", "box"], None),
        ("enhance", ["occlusion"], "box occlusion"),
        ("enhance", ["area", "region"], "box"),
        ("age_adjust", ["area", "occlusion"], "box occlusion"),
        ("edit", ["box", "occlusion"], "box"),
        ("edit", ["box"], None),
        ("swap", ["region", "area"], None),
        ("mask", ["occlusion"], None),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, list) else str(value),
)
def test_masks_that_a_processor_does_not_know_are_reported(
    operation: str, asked: list[str], used: str | None
) -> None:
    age = {"target_age": 60} if operation == "age_adjust" else {}
    parsed = parse_operation({"operation_type": operation, "face_mask_types": asked, **age})

    assert translate(parsed, direction=0).used.get("face_mask_types") == used


def test_all_faces_are_called_many() -> None:
    translation = translate(DetectOperation(face_selector_mode=FaceSelectorMode.ALL))

    assert value_of(translation.arguments, "--face-selector-mode") == "many"
    assert translation.used["face_selector_mode"] == "many"


def test_a_run_may_choose_its_own_faces() -> None:
    faces = FacesOfRun((20, 29), kept=True, reference_distance=0.05)
    translation = translate(AGEING, direction=5, faces=faces)
    arguments = translation.arguments

    assert value_of(arguments, "--face-selector-mode") == "many"
    assert "face_selector_mode" not in translation.used
    assert value_of(arguments, "--reference-face-distance") == "0.05"
    assert value_of(arguments, "--face-selector-age-start") == "20"
    assert value_of(arguments, "--face-selector-age-end") == "29"


@pytest.mark.parametrize("direction", [None, -101, 101])
def test_ageing_without_years_or_out_of_range_is_refused(direction: int | None) -> None:
    with pytest.raises(ValueError, match="-100 to 100"):
        translate(AGEING, direction=direction)


@pytest.mark.parametrize(
    ("operation", "direction", "must"),
    [
        (EnhanceOperation(), None, True),
        (EnhanceOperation(face_enhancer_blend=0.004), None, False),
        (EnhanceOperation(face_enhancer_blend=0), None, False),
        (EditOperation(), None, False),
        (EditOperation(face_editor_mouth_grim=2), None, False),
        (EditOperation(face_editor_mouth_grim=-3), None, True),
        (AGEING, 0, False),
        (AGEING, -1, True),
        (SwapOperation(), None, True),
        (MaskOperation(), None, False),
        (DetectOperation(), None, False),
    ],
    ids=str,
)
def test_what_must_change_a_face_is_known(
    operation: FaceOperation, direction: int | None, must: bool
) -> None:
    assert must_change(operation, direction) is must
