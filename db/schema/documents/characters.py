"""A character, as far as face flows need it."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from db.schema.documents.base import Frozen, Id, SoftDeletable, Stored


class HistoryEntry(Frozen):
    """What was done to a picture of a character, or failed to be.

    Attributes:
        output_image_url: Empty where there is no output; the app refuses null.
    """

    id: str
    operation_type: str
    input_image_url: str
    output_image_url: str = ""
    parameters: dict[str, Any] = Field(default_factory=dict)
    success: bool = True
    error_message: str | None = None
    processing_time_seconds: float | None = Field(None, ge=0)
    created_at: datetime


AgeKey = Annotated[str, Field(pattern=r"^(100|[1-9]?[0-9])$")]


class OutputGallery(Stored):
    """What face operations made of a character, by kind.

    Attributes:
        age_variants: Age in years as text, since BSON refuses integer keys, to the picture's URL.
    """

    enhanced_faces: list[str] = Field(default_factory=list)
    age_variants: dict[AgeKey, str] = Field(default_factory=dict)
    swapped_faces: list[str] = Field(default_factory=list)
    edited_expressions: list[str] = Field(default_factory=list)
    custom_outputs: list[str] = Field(default_factory=list)


GALLERY_LISTS = ("enhanced_faces", "swapped_faces", "edited_expressions", "custom_outputs")
"""Fields of a gallery that are lists of pictures; a new picture goes to the end."""

Blend = Annotated[float, Field(ge=0, le=1)]
EditorValue = Annotated[int, Field(ge=-100, le=100)]


class PreferredSettings(Stored):
    """The 23 settings that every operation on a character starts from.

    An editor value of null is not sent to the host. Names of models, masks and orders are free
    text, as in the app.
    """

    enhancement_model: str = "gfpgan_1.4"
    face_enhancer_blend: Blend = 1.0
    age_adjustment_blend: Blend = 1.0
    face_mask_types: list[str] = Field(default_factory=lambda: ["box"])
    face_selector_mode: str = "one"
    face_selector_order: str = "left-right"
    face_detector_model: str = "yoloface"
    face_detector_size: str = "640x640"
    face_swapper_model: str = "inswapper_128"
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


class StoredHistoryEntry(HistoryEntry):
    """A history entry that this project or the app wrote."""

    model_config = ConfigDict(extra="allow")


class StoredCharacter(SoftDeletable):
    """A document of `characters`.

    Attributes:
        generation_method: `ip_adapter`, `reactor`, `instantid` or `lora`, from the older API.
        face_image: From the older API.
        generation_params: From the older API.
    """

    id: Id
    project_id: Id
    name: Annotated[str, Field(min_length=1, max_length=200)]
    description: str | None = Field("", max_length=2000)
    reference_images: list[str] = Field(default_factory=list)
    lora: str | None = Field(None, max_length=200)
    trigger_words: str | None = Field(None, max_length=500)
    style_notes: str | None = Field(None, max_length=2000)
    facefusion_processing_history: list[StoredHistoryEntry] = Field(default_factory=list)
    facefusion_preferred_settings: PreferredSettings | None = None
    facefusion_output_gallery: OutputGallery = Field(default_factory=OutputGallery)
    generation_method: str | None = None
    face_image: str | None = None
    generation_params: dict[str, Any] | None = None


HISTORY_LIMIT = 200
"""Newest history entries that a character keeps; the ledger keeps all."""


def _null_is(empty: object) -> BeforeValidator:
    """Read null as an empty value, as the app does."""
    return BeforeValidator(lambda value: empty if value is None else value)


class Character(BaseModel):
    """What a flow reads of a `characters` document; everything else in it is left alone."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    id: str
    name: Annotated[str, _null_is("")] = ""
    project_id: str | None = None
    reference_images: Annotated[list[str], _null_is([])] = Field(default_factory=list)
    facefusion_preferred_settings: dict[str, Any] | None = None
