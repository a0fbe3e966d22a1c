"""The six operations and their parameters: the single source of names, ranges and defaults.

Field names are those that StoryCanvas stores (docs/database.md). An alias is the name of
the same value on the wire to a host (docs/host-api.json): `model_dump()` gives what is stored,
`model_dump(by_alias=True)` what is sent.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Literal, NamedTuple, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    TypeAdapter,
    model_serializer,
    model_validator,
)
from pydantic.fields import FieldInfo


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
    """Face detectors; FaceFusion spells the first `yolo_face` from 3.2.0 on, which is read, too."""

    YOLOFACE = "yoloface"
    MANY = "many"
    RETINAFACE = "retinaface"
    SCRFD = "scrfd"
    YUNET = "yunet"

    @classmethod
    def _missing_(cls, value: object) -> "FaceDetectorModel | None":
        return cls.YOLOFACE if value == "yolo_face" else None


class FaceDetectorSize(StrEnum):
    """Side lengths of the square a picture is searched at, in pixels."""

    SIZE_640 = "640x640"
    SIZE_512 = "512x512"
    SIZE_480 = "480x480"
    SIZE_320 = "320x320"
    SIZE_160 = "160x160"


def _storycanvas_spelling(value: object) -> object:
    return "yoloface" if value == "yolo_face" else value


def _none_if_empty(value: object) -> object:
    return None if value == "" else value


Blend = Annotated[float, Field(ge=0.0, le=1.0)]
"""How much of the result is mixed into the input: 0 leaves the input, 1 takes the result."""

Age = Annotated[int, Field(ge=0, le=100)]
"""Years, 0 to 100."""


class AgeBand(NamedTuple):
    """What a face from `youngest` to `oldest` years, both included, is called."""

    youngest: int
    oldest: int
    name: str


AGE_BANDS = (
    AgeBand(0, 12, "child"),
    AgeBand(13, 19, "teen"),
    AgeBand(20, 35, "young adult"),
    AgeBand(36, 55, "middle-aged"),
    AgeBand(56, 70, "senior"),
    AgeBand(71, 100, "elderly"),
)
AGE_BANDS_TEXT = ", ".join(f"{band.youngest}-{band.oldest} {band.name}" for band in AGE_BANDS)
"""The bands as a part of a sentence, for forms and the host's contract."""

EditorValue = Annotated[int, Field(ge=-100, le=100)]
"""An editor slider, -100 to 100, 0 changes nothing."""

DetectorModel = Annotated[FaceDetectorModel, BeforeValidator(_storycanvas_spelling)]

_SMALL_SIZES = {FaceDetectorModel.RETINAFACE, FaceDetectorModel.SCRFD}


@dataclass(frozen=True)
class Added:
    """Marks a parameter that came later: at its default an operation means what it meant before.

    It is then neither stored nor sent: operation keys stay, and hosts without it can be used.
    """


MEASURE = "measure"
"""The field of a request to a host that says whether the likeness of a changed face is measured.

It is no parameter of the operation, whose picture is the same either way.
"""
REFERENCE_IMAGE = "reference_image"
"""The picture field of any operation that shows the person to be worked on."""

DetectorAngle = Literal[0, 90, 180, 270]
FaceBox = tuple[
    Annotated[int, Field(ge=0)],
    Annotated[int, Field(ge=0)],
    Annotated[int, Field(ge=1)],
    Annotated[int, Field(ge=1)],
]
"""Left, top, width and height in pixels of the picture as sent."""

_UPRIGHT: tuple[DetectorAngle, ...] = (0,)


class FaceOperation(BaseModel):
    """What all operations share: how faces are found and which of them are meant.

    Faces are found and counted in `face_selector_order`. A reference picture leaves those that look
    like its first face; then `face_box` takes the face that it overlaps most, else `one` takes the
    face at `face_position`, `many` and `all` take all of them. `reference` takes that face and all
    that look like it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    path: ClassVar[str]
    """The host contract's path of this operation, below `/api/v1/`."""
    pictures: ClassVar[tuple[str, ...]] = ("source_path",)
    """The host contract's picture fields, in the order of a step's inputs."""
    makes_picture: ClassVar[bool] = True
    changes_faces: ClassVar[bool] = True
    """Whether its picture has faces that it has changed."""

    face_selector_mode: FaceSelectorMode = FaceSelectorMode.ONE
    face_selector_order: FaceSelectorOrder = FaceSelectorOrder.LEFT_RIGHT
    face_detector_model: DetectorModel = FaceDetectorModel.YOLOFACE
    face_detector_size: FaceDetectorSize = FaceDetectorSize.SIZE_640
    face_position: Annotated[int, Field(ge=0, le=63), Added()] = 0
    face_box: Annotated[FaceBox | None, Added()] = None
    reference_face_distance: Annotated[float, Field(ge=0.05, le=1.0), Added()] = 0.3
    face_detector_angles: Annotated[tuple[DetectorAngle, ...], Field(min_length=1), Added()] = (
        _UPRIGHT
    )

    @classmethod
    def picture_fields(cls, pictures: int) -> tuple[str, ...]:
        """Name the fields of so many pictures; a reference picture comes first."""
        with_reference = pictures == len(cls.pictures) + 1
        return (REFERENCE_IMAGE, *cls.pictures) if with_reference else cls.pictures

    @model_serializer(mode="wrap")
    def _leave_out_added_defaults(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        dumped: dict[str, Any] = dump(self)
        for name, field in _added_fields(type(self)):
            if getattr(self, name) == field.default:
                dumped.pop(field.alias or name, None)
                dumped.pop(name, None)
        return dumped

    @model_validator(mode="after")
    def _chooses_one_way(self) -> Self:
        by_place = self.face_position > 0 or self.face_box is not None
        if by_place and self.face_selector_mode in {FaceSelectorMode.MANY, FaceSelectorMode.ALL}:
            msg = (
                f"face_position and face_box choose one face, face_selector_mode "
                f"{self.face_selector_mode} all of them; take the mode one"
            )
            raise ValueError(msg)
        if self.face_position > 0 and self.face_box is not None:
            raise ValueError("face_position and face_box each choose a face; leave one of them out")
        return self

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


@cache
def _added_fields(operation: type[FaceOperation]) -> tuple[tuple[str, FieldInfo], ...]:
    """List the parameters of an operation that came later."""
    return tuple(
        (name, field)
        for name, field in operation.model_fields.items()
        if any(isinstance(mark, Added) for mark in field.metadata)
    )


class OutputFormat(StrEnum):
    """Formats of an output's file; `png` alone keeps every pixel."""

    PNG = "png"
    JPEG = "jpeg"
    WEBP = "webp"


OUTPUT_QUALITY = 90
"""Of a JPEG or WebP file whose quality is not named."""


class MaskedOperation(FaceOperation):
    """An operation that changes the part of a face which its masks leave open."""

    face_mask_types: tuple[FaceMaskType, ...] = Field((FaceMaskType.BOX,), min_length=1)
    output_format: Annotated[OutputFormat, Added()] = OutputFormat.PNG
    output_quality: Annotated[int, Field(ge=1, le=100), Added()] = OUTPUT_QUALITY

    @model_validator(mode="after")
    def _quality_fits_format(self) -> Self:
        if self.output_format is OutputFormat.PNG and self.output_quality != OUTPUT_QUALITY:
            msg = (
                f"output_quality {self.output_quality} is for jpeg and webp, png keeps every "
                "pixel; leave it out or name another output_format"
            )
            raise ValueError(msg)
        return self


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


_FROM_256 = ("256x256", "512x512", "768x768", "1024x1024")
_FROM_128 = ("128x128", "256x256", "384x384", "512x512", "768x768", "1024x1024")

PIXEL_BOOSTS: Mapping[FaceSwapperModel, tuple[str, ...]] = MappingProxyType(
    dict.fromkeys(FaceSwapperModel, _FROM_256)
    | {
        FaceSwapperModel.INSWAPPER_128: _FROM_128,
        FaceSwapperModel.INSWAPPER_128_FP16: _FROM_128,
        FaceSwapperModel.INSWAPPER_256: _FROM_128[1:],
        FaceSwapperModel.BLENDSWAP_256: _FROM_128[1:],
        FaceSwapperModel.SIMSWAP_UNOFFICIAL_512: _FROM_256[1:],
    }
)
"""The sizes at which a swapper's face can be made (FaceFusion 3.8.1,
`processors/modules/face_swapper/choices.py`)."""


class SwapOperation(MaskedOperation):
    """Puts the face of the first picture onto the face of the second.

    `face_swapper_pixel_boost` is the size at which the face is made, such as `512x512`; None is the
    swapper's own. `within_box` keeps all pixels outside of `face_box`, else of the boxes of the
    faces that are worked on, widened by 15 % of their sides.
    """

    path: ClassVar[str] = "swap-face"
    pictures: ClassVar[tuple[str, ...]] = ("source_face_path", "target_image_path")

    operation_type: Literal["swap"] = "swap"
    face_swapper_model: FaceSwapperModel = FaceSwapperModel.INSWAPPER_128
    face_swapper_pixel_boost: Annotated[
        str | None, Field(examples=["512x512"]), BeforeValidator(_none_if_empty), Added()
    ] = None
    within_box: Annotated[bool, Added()] = False

    @model_validator(mode="after")
    def _boost_fits_model(self) -> Self:
        choices = PIXEL_BOOSTS[self.face_swapper_model]
        boost = self.face_swapper_pixel_boost
        if boost is not None and boost not in choices:
            msg = (
                f"face_swapper_pixel_boost {boost} is not one of {', '.join(choices)}, which "
                f"{self.face_swapper_model} works at"
            )
            raise ValueError(msg)
        return self


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
    changes_faces: ClassVar[bool] = False

    operation_type: Literal["mask"] = "mask"


class DetectOperation(FaceOperation):
    """Finds the faces of a picture and estimates the age of the first one in order."""

    path: ClassVar[str] = "detect-faces"
    makes_picture: ClassVar[bool] = False
    changes_faces: ClassVar[bool] = False

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

KINDS: Mapping[str, type[FaceOperation]] = MappingProxyType(
    {kind.model_fields["operation_type"].default: kind for kind in OPERATIONS}
)
"""The operations by their `operation_type`."""

_any_operation: TypeAdapter[AnyOperation] = TypeAdapter(Operation)


def parse_operation(document: object) -> AnyOperation:
    """Read an operation by field names or wire names from a mapping with an `operation_type`.

    Raises:
        pydantic.ValidationError: A field is unknown, missing or out of range.
    """
    return _any_operation.validate_python(document)
