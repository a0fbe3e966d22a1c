"""FaceFusion's names and values for ours, checked with 3.5.4 to 3.8.1 (docs/facefusion.md)."""

import math
from collections.abc import Mapping
from types import MappingProxyType

from storycanvas.faces.operations import (
    EditOperation,
    EnhanceOperation,
    FaceDetectorModel,
    FaceMaskType,
    FaceSelectorMode,
    FaceSwapperModel,
)

EDITOR_FIELDS = tuple(name for name in EditOperation.model_fields if name.startswith("face_editor"))


def nearest(value: float) -> int:
    """Round; a half goes away from zero, so that both sides of it are treated alike."""
    return int(math.copysign(math.floor(abs(value) + 0.5), value))


def per_cent(share: float) -> int:
    """Convert a share of 0 to 1 to FaceFusion's blend, 0 to 100."""
    return nearest(100 * share)


def enhancer_blend(operation: EnhanceOperation) -> int:
    """Return the blend that FaceFusion really uses, per cent."""
    return per_cent(operation.face_enhancer_blend)


def editor_steps(operation: EditOperation) -> dict[str, int]:
    """Return the 14 editor values in FaceFusion's steps of 0.05, -20 to 20, by our field names.

    A value of None is no change, 0. One step is 5 of our units, so 33 becomes 7 steps, 35.
    """
    return {name: nearest((getattr(operation, name) or 0) / 5) for name in EDITOR_FIELDS}


Options = Mapping[str, tuple[str, ...]]
"""Values by option, in the order they are written."""

DETECTORS = MappingProxyType(
    {model: str(model) for model in FaceDetectorModel} | {FaceDetectorModel.YOLOFACE: "yolo_face"}
)
SELECTOR_MODES = MappingProxyType(
    {mode: str(mode) for mode in FaceSelectorMode} | {FaceSelectorMode.ALL: "many"}
)

SUBSTITUTES = MappingProxyType({FaceSwapperModel.INSWAPPER_256: ("inswapper_128", "256x256")})
"""Swappers that FaceFusion does not have: the model and pixel boost that do their work.

`inswapper_128` at 256x256 is the same network on a grid of 2 x 2 interleaved pictures.
"""

BASE: Options = MappingProxyType(
    {
        "--face-detector-margin": ("0", "0", "0", "0"),
        "--face-detector-score": ("0.50",),
        "--face-landmarker-model": ("2dfan4",),
        "--face-landmarker-score": ("0.50",),
        "--reference-frame-number": ("0",),
        "--output-image-quality": ("100",),
        "--output-image-scale": ("1.0",),
    }
)
"""Options of every operation: FaceFusion's own defaults, and the output at full size and quality.
"""

MASKS: Options = MappingProxyType(
    {
        "--face-occluder-model": ("xseg_1",),
        "--face-parser-model": ("bisenet_resnet_34",),
        "--face-mask-areas": ("upper-face", "lower-face", "mouth"),
        "--face-mask-regions": (
            "skin",
            "left-eyebrow",
            "right-eyebrow",
            "left-eye",
            "right-eye",
            "glasses",
            "nose",
            "mouth",
            "upper-lip",
            "lower-lip",
        ),
        "--face-mask-blur": ("0.30",),
        "--face-mask-padding": ("0", "0", "0", "0"),
    }
)
"""Options of every operation with masks besides their types: FaceFusion's own defaults."""

ALL_MASKS = frozenset(FaceMaskType)
BOX = frozenset({FaceMaskType.BOX})
BOX_AND_OCCLUSION = BOX | {FaceMaskType.OCCLUSION}
