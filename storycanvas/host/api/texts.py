"""Descriptions and examples for the document of the host's contract."""

from typing import Any

from storycanvas.faces.operations import AGE_BANDS_TEXT

_FACE = "asset:" + "0123456789abcdef" * 4 + ".png"
_SCENE = "https://app.example/uploads/scene.jpg"
_SLIDER = "-100 to 100, 0 changes nothing; null leaves it as it is."

ABOUT = """\
What a face host takes and answers, whatever its engine.

A picture is named by `asset:<name>` from an upload or an answer, by an absolute path below a folder
that the operator allows, or by an http(s) URL of a server that the operator allows. At most 50
million pixels are read, and 30 MB, or 5 bytes for each pixel and 1 MiB where that is more.

Every error has the body `ErrorAnswer`, whose `retryable` is true when the same request can succeed
later without any change. Beside the answers listed here a path that is not there gets 404
`not_found`, and a method that a path does not have 405 `method_not_allowed`. A request that is not
HTTP at all is refused with 400 in plain text.
"""
WHO_MAY_CALL = (
    "The host's token. A host that listens on loopback only may have none; then it serves callers "
    "on its own machine, and no web pages from elsewhere."
)
ACCEPTED = (
    "`Prefer: respond-async` was sent: the operation is certain to be done, also over a restart of "
    "the host, and is found at `Location`."
)
ACCEPTED_ENGINE = "It goes on; ask again, or look at `engine_loaded` and `loading` of the status."
RETRY_AFTER = "Seconds after which another try makes sense."
REMOVED = (
    "It is gone, or was not there. One that an operation uses, or an output that is still to be "
    "fetched, goes right afterwards, unless it is uploaded again before."
)
PICTURE_NAME = "`<sha256>` and the ending of its format, with or without `asset:` before it."

FIELDS = {
    "face_selector_mode": "Which faces of the picture are worked on.",
    "face_selector_order": "In which order the faces are counted; `one` takes the first.",
    "face_detector_model": "What finds the faces; `yolo_face` is taken for `yoloface`.",
    "face_detector_size": "Pixels of the square that the picture is searched at; anything but "
    "640x640 needs `retinaface` or `scrfd`.",
    "face_position": "Place of the face in that order, from 0; for the mode `one` or `reference`.",
    "face_box": "Left, top, width and height as `detect-faces` gives them: the face that it "
    "overlaps most, by at least 0.3 of both areas together.",
    "reference_face_distance": "How far a face may be from the reference face; 0 is the same.",
    "face_detector_angles": "Degrees by which the picture is turned to look for faces.",
    "face_swapper_pixel_boost": "Size at which the new face is made, one of its model's; null is "
    "the model's own.",
    "within_box": "Whether all pixels outside of `face_box`, else of the boxes of the faces that "
    "are worked on, widened by 15 % of their sides, stay as they are.",
    "face_mask_types": "What bounds the part of a face that is changed; at least one.",
    "output_format": "Format of the output's file; jpeg takes no picture with transparency, webp "
    "none with more than 16,383 pixels a side.",
    "output_quality": "Of a JPEG or WebP file, 1 to 100; not with png.",
    "operation_type": "The operation's own name; may be left out.",
    "face_enhancer_model": "What restores the face.",
    "face_enhancer_blend": "Share of the result that is mixed into the input, 0 to 1.",
    "face_editor_age": f"Age that the face shall look like, in years, 0 to 100: {AGE_BANDS_TEXT}.",
    "face_editor_blend": "Share of the result that is mixed into the input, 0 to 1.",
    "face_swapper_model": "What swaps the face.",
    "face_editor_eyebrow_direction": f"Eyebrows down or up, {_SLIDER}",
    "face_editor_eye_gaze_horizontal": f"Gaze to the sides, {_SLIDER}",
    "face_editor_eye_gaze_vertical": f"Gaze up or down, {_SLIDER}",
    "face_editor_eye_open_ratio": f"Eyes closed or open, {_SLIDER}",
    "face_editor_lip_open_ratio": f"Lips closed or open, {_SLIDER}",
    "face_editor_mouth_grim": f"Grimness of the mouth, {_SLIDER}",
    "face_editor_mouth_pout": f"Pouting of the mouth, {_SLIDER}",
    "face_editor_mouth_purse": f"Pursing of the mouth, {_SLIDER}",
    "face_editor_mouth_smile": f"Smile of the mouth, {_SLIDER}",
    "face_editor_mouth_position_horizontal": f"Place of the mouth to the sides, {_SLIDER}",
    "face_editor_mouth_position_vertical": f"Place of the mouth up or down, {_SLIDER}",
    "face_editor_head_pitch": f"Nodding of the head, {_SLIDER}",
    "face_editor_head_yaw": f"Turning of the head, {_SLIDER}",
    "face_editor_head_roll": f"Tilting of the head, {_SLIDER}",
    "status": "`ok` takes operations; `starting`, `stopping` and `failed` refuse them with 503.",
    "engine": "What the host runs: `facefusion` or `preview`.",
    "engine_version": "The engine's own version; another one may give other pictures.",
    "x": "Left edge, in pixels from the left.",
    "y": "Upper edge, in pixels from the top.",
    "width": "Pixels.",
    "height": "Pixels.",
    "success": "Always true; what failed has an error's status and body.",
    "compared_with": "The face of the `source` of a swap, or of the `input` before the operation.",
    "before": "How far the face was from the source's before the operation; only of a swap.",
    "after": "How far the face is from it now; 0 is the same.",
    "others": "How far the face that was not chosen and changed most is from itself before; none "
    "where there is no such face.",
    "scale": "Whose distances they are; those of two recognisers cannot be compared.",
    "phases": "How long the parts of the operation took.",
    "error": "What went wrong.",
    "code": "What went wrong, as a name for programs.",
    "message": "What went wrong, with the value and the remedy, as a sentence for people.",
    "retryable": "Whether the same request can succeed later without any change.",
}
"""By their names on the wire, for fields whose models have no description."""

SCHEMAS = {
    "Likeness": "How unlike the changed face is to the face that it should be like; of several "
    "changed faces the one that is least like.",
    "AgeAdjustRequest": "Makes a face look as old as `face_editor_age`.",
    "EnhancementModel": "Face enhancers, by FaceFusion's names.",
    "FaceSwapperModel": "Face swappers, by FaceFusion's names; `inswapper_256` is done by "
    "`inswapper_128` at 256 x 256 pixels.",
}
"""By schema, where the model's own text speaks to programmers."""

REQUESTS: dict[str, dict[str, Any]] = {
    "enhance-face": {"source_path": _FACE, "face_enhancer_model": "gfpgan_1.4"},
    "adjust-face": {"source_path": _FACE, "face_editor_age": 65, "face_editor_blend": 0.6},
    "swap-face": {"source_face_path": _FACE, "target_image_path": _SCENE},
    "edit-face": {"source_path": _FACE, "face_editor_mouth_smile": 40},
    "mask-face": {"source_path": _FACE, "face_mask_types": ["box", "occlusion"]},
    "detect-faces": {"source_path": "/srv/pictures/group.jpg", "face_selector_mode": "many"},
}
"""One request for each operation, by its path."""

_DONE: dict[str, Any] = {
    "success": True,
    "faces_detected": 1,
    "processing_time_seconds": 0.43,
    "engine": "facefusion",
    "engine_version": "3.8.1",
    "completed_at": "2026-11-21T08:00:00Z",
}
_SEEN = {"x": 120, "y": 80, "width": 96, "height": 128, "score": 0.91, "estimated_age": 34.0} | {
    "yaw": -12.5, "pitch": 3.0, "roll": 1.5
}  # fmt: skip
ANSWERS: dict[str, dict[str, Any]] = {
    path: {**_DONE, "output_path": _FACE} for path in REQUESTS if path != "detect-faces"
} | {"detect-faces": {**_DONE, "faces": [_SEEN], "total_faces": 1, "estimated_age": 34.0}}
ANSWERS["adjust-face"]["estimated_age"] = 34.0
ANSWERS["swap-face"]["likeness"] = {
    "compared_with": "source", "before": 0.47, "after": 0.11, "others": 0.0, "scale": "facefusion"
}  # fmt: skip
"""One answer for each operation, by its path."""
