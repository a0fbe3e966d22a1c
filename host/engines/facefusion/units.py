"""FaceFusion's units for ours: whole per cents and a grid of 0.05."""

import math

from faces.operations import EditOperation, EnhanceOperation

EDITOR_FIELDS = tuple(name for name in EditOperation.model_fields if name.startswith("face_editor"))


def nearest(value: float) -> int:
    """Round; a half goes away from zero, so that both sides of it are treated alike."""
    return int(math.copysign(math.floor(abs(value) + 0.5), value))


def per_cent(share: float) -> int:
    """Give a share of 0 to 1 as FaceFusion's blend, 0 to 100."""
    return nearest(100 * share)


def enhancer_blend(operation: EnhanceOperation) -> int:
    """Give the blend that FaceFusion really uses, per cent."""
    return per_cent(operation.face_enhancer_blend)


def editor_steps(operation: EditOperation) -> dict[str, int]:
    """Give the 14 editor values in FaceFusion's steps of 0.05, -20 to 20, by our field names.

    A value of None is no change, 0. One step is 5 of our units, so 33 becomes 7 steps, 35.
    """
    return {name: nearest((getattr(operation, name) or 0) / 5) for name in EDITOR_FIELDS}
