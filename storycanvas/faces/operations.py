"""The six operations and their parameters: the single source of names, ranges and defaults.

Field names are those that StoryCanvas stores (docs/database.md). An alias is the name of
the same value on the wire to a host (docs/host-api.json): `model_dump()` gives what is stored,
`model_dump(by_alias=True)` what is sent.
"""

from enum import StrEnum
from typing import Annotated, ClassVar, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, model_validator


class EnhancementModel(StrEnum):
    """Face enhancers of FaceFusion 3.8.1; the first three are the names that StoryCanvas uses."""

    GFPGAN_1_4 = "gfpgan_1.4"
    CODEFORMER = "codeformer"
    RESTOREFORMER_PLUS_PLUS = "restoreformer_plus_plus"
    GFPGAN_1_2 = "gfpgan_1.2"
    GFPGAN_1_3 = "gfpgan_1.3"
    GPEN_BFR_256 = "gpen_bfr_256"
    GPEN_BFR_512 = "gpen_bfr_512"
    GPEN_BFR_1024 = "gpen_bfr_1024"
    GPEN_BFR_2048 = "gpen_bfr_2048"


class FaceSwapperModel(StrEnum):
    """Face swappers of FaceFusion 3.8.1, and StoryCanvas's own `inswapper_256`.

    FaceFusion has no model of that name; its work is done by `inswapper_128` at 256 x 256 pixels.
    """

    INSWAPPER_128 = "inswapper_128"
    INSWAPPER_128_FP16 = "inswapper_128_fp16"
    INSWAPPER_256 = "inswapper_256"
    BLENDSWAP_256 = "blendswap_256"
    GHOST_1_256 = "ghost_1_256"
    GHOST_2_256 = "ghost_2_256"
    GHOST_3_256 = "ghost_3_256"
    HIFIFACE_UNOFFICIAL_256 = "hififace_unofficial_256"
    HYPERSWAP_1A_256 = "hyperswap_1a_256"
    HYPERSWAP_1B_256 = "hyperswap_1b_256"
    HYPERSWAP_1C_256 = "hyperswap_1c_256"
    SIMSWAP_256 = "simswap_256"
    SIMSWAP_UNOFFICIAL_512 = "simswap_unofficial_512"
    UNIFACE_256 = "uniface_256"


class FaceSelectorMode(StrEnum):
    """Which faces of a picture are worked on."""

    ONE = "one"
    MANY = "many"
    ALL = "all"
    REFERENCE = "reference"


class FaceSelectorOrder(StrEnum):
    """In which order the faces of a picture are counted."""

    LEFT_RIGHT = "left-right"
    RIGHT_LEFT = "right-left"
    TOP_BOTTOM = "top-bottom"
    BOTTOM_TOP = "bottom-top"
    SMALL_LARGE = "small-large"
    LARGE_SMALL = "large-small"
    BEST_WORST = "best-worst"
    WORST_BEST = "worst-best"


class FaceMaskType(StrEnum):
    """What bounds the part of a face that is changed."""

    BOX = "box"
    OCCLUSION = "occlusion"
    AREA = "area"
    REGION = "region"


class FaceDetectorModel(StrEnum):
    """Face detectors; FaceFusion spells the first `yolo_face` from 3.2.0 on."""

    YOLOFACE = "yoloface"
    MANY = "many"
    RETINAFACE = "retinaface"
    SCRFD = "scrfd"
    YUNET = "yunet"


class FaceDetectorSize(StrEnum):
    """Side lengths of the square a picture is searched at, in pixels."""

    SIZE_640 = "640x640"
    SIZE_512 = "512x512"
    SIZE_480 = "480x480"
    SIZE_320 = "320x320"
    SIZE_160 = "160x160"


def _storycanvas_spelling(value: object) -> object:
    return "yoloface" if value == "yolo_face" else value


Blend = Annotated[float, Field(ge=0.0, le=1.0)]
"""How much of the result is mixed into the input: 0 leaves the input, 1 takes the result."""

Age = Annotated[int, Field(ge=0, le=100)]
"""Years, 0 to 100."""

EditorValue = Annotated[int, Field(ge=-100, le=100)]
"""An editor slider, -100 to 100, 0 changes nothing."""

DetectorModel = Annotated[FaceDetectorModel, BeforeValidator(_storycanvas_spelling)]

_SMALL_SIZES = {FaceDetectorModel.RETINAFACE, FaceDetectorModel.SCRFD}


class FaceOperation(BaseModel):
    """What all operations share: how faces are found and which of them are meant."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    path: ClassVar[str]
    """The host contract's path of this operation, below `/api/v1/`."""
    pictures: ClassVar[tuple[str, ...]] = ("source_path",)
    """The host contract's picture fields, in the order of a step's inputs."""
    makes_picture: ClassVar[bool] = True

    face_selector_mode: FaceSelectorMode = FaceSelectorMode.ONE
    face_selector_order: FaceSelectorOrder = FaceSelectorOrder.LEFT_RIGHT
    face_detector_model: DetectorModel = FaceDetectorModel.YOLOFACE
    face_detector_size: FaceDetectorSize = FaceDetectorSize.SIZE_640

    @model_validator(mode="after")
    def _size_fits_model(self) -> Self:
        small = self.face_detector_size is not FaceDetectorSize.SIZE_640
        if small and self.face_detector_model not in _SMALL_SIZES:
            msg = (
                f"face_detector_size {self.face_detector_size} needs the detector retinaface or "
                f"scrfd; {self.face_detector_model} works at 640x640 only"
            )
            raise ValueError(msg)
        return self


class MaskedOperation(FaceOperation):
    """An operation that changes the part of a face which its masks leave open."""

    face_mask_types: tuple[FaceMaskType, ...] = Field((FaceMaskType.BOX,), min_length=1)


class EnhanceOperation(MaskedOperation):
    """Restores detail of a face."""

    path: ClassVar[str] = "enhance-face"

    operation_type: Literal["enhance"] = "enhance"
    enhancement_model: EnhancementModel = Field(
        EnhancementModel.GFPGAN_1_4, alias="face_enhancer_model"
    )
    face_enhancer_blend: Blend = 1.0


class AgeAdjustOperation(MaskedOperation):
    """Makes a face look as old as `target_age`."""

    path: ClassVar[str] = "adjust-face"

    operation_type: Literal["age_adjust"] = "age_adjust"
    target_age: Age = Field(alias="face_editor_age")
    age_adjustment_blend: Blend = Field(1.0, alias="face_editor_blend")


class SwapOperation(MaskedOperation):
    """Puts the face of the first picture onto the face of the second."""

    path: ClassVar[str] = "swap-face"
    pictures: ClassVar[tuple[str, ...]] = ("source_face_path", "target_image_path")

    operation_type: Literal["swap"] = "swap"
    face_swapper_model: FaceSwapperModel = FaceSwapperModel.INSWAPPER_128


class EditOperation(MaskedOperation):
    """Changes expression and pose of a face; a value of None is not sent."""

    path: ClassVar[str] = "edit-face"

    operation_type: Literal["edit"] = "edit"
    face_editor_eyebrow_direction: EditorValue | None = None
    face_editor_eye_gaze_horizontal: EditorValue | None = None
    face_editor_eye_gaze_vertical: EditorValue | None = None
    face_editor_eye_open_ratio: EditorValue | None = None
    face_editor_lip_open_ratio: EditorValue | None = None
    face_editor_mouth_grim: EditorValue | None = None
    face_editor_mouth_pout: EditorValue | None = None
    face_editor_mouth_purse: EditorValue | None = None
    face_editor_mouth_smile: EditorValue | None = None
    face_editor_mouth_position_horizontal: EditorValue | None = None
    face_editor_mouth_position_vertical: EditorValue | None = None
    face_editor_head_pitch: EditorValue | None = None
    face_editor_head_yaw: EditorValue | None = None
    face_editor_head_roll: EditorValue | None = None


class MaskOperation(MaskedOperation):
    """Answers the mask of a face: white where an operation may change the picture."""

    path: ClassVar[str] = "mask-face"

    operation_type: Literal["mask"] = "mask"


class DetectOperation(FaceOperation):
    """Finds the faces of a picture and estimates the age of the first one in order."""

    path: ClassVar[str] = "detect-faces"
    makes_picture: ClassVar[bool] = False

    operation_type: Literal["detect"] = "detect"


AnyOperation = (
    EnhanceOperation
    | AgeAdjustOperation
    | SwapOperation
    | EditOperation
    | MaskOperation
    | DetectOperation
)
Operation = Annotated[AnyOperation, Field(discriminator="operation_type")]
"""Any of the six, distinguished by `operation_type`."""

OPERATIONS: tuple[type[FaceOperation], ...] = (
    EnhanceOperation,
    AgeAdjustOperation,
    SwapOperation,
    EditOperation,
    MaskOperation,
    DetectOperation,
)

_any_operation: TypeAdapter[AnyOperation] = TypeAdapter(Operation)


def parse_operation(document: object) -> AnyOperation:
    """Read an operation by field names or wire names from a mapping with an `operation_type`.

    Raises:
        pydantic.ValidationError: A field is unknown, missing or out of range.
    """
    return _any_operation.validate_python(document)
