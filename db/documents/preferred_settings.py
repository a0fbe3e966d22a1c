"""A character's `facefusion_preferred_settings` (seed 001, reference section 2)."""

from typing import Annotated

from pydantic import Field

from db.documents.stored import Stored

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
