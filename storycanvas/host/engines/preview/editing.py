"""Expression and pose: each slider is a few soft pushes."""

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np

from storycanvas.faces.measures.measure import Floats
from storycanvas.faces.operations import EditOperation
from storycanvas.host.engines.preview.frame import View


@dataclass(frozen=True)
class Push:
    """A soft oval whose content is moved, stretched or turned; nothing moves at its rim.

    Attributes:
        centre: Its middle in face coordinates.
        radii: Half its width and height in face units.
        shift: How far the middle moves, in face units.
        stretch: By which share it grows, across and down; negative shrinks.
        turn: How far it turns, in radians, clockwise.
    """

    centre: complex
    radii: complex
    shift: complex = 0j
    stretch: complex = 0j
    turn: float = 0.0

    @property
    def mirrored(self) -> "Push":
        """The same push on the other half of the face."""
        centre, shift = -self.centre.conjugate(), -self.shift.conjugate()
        return Push(centre, self.radii, shift, self.stretch, -self.turn)


def both_sides(*pushes: Push) -> tuple[Push, ...]:
    """Add each push's mirror image."""
    return pushes + tuple(push.mirrored for push in pushes)


def warped(view: View, pushes: Iterable[tuple[Push, float]]) -> Floats:
    """Move the colours of a view by pushes, each with the share of it to apply, -1..1."""
    du, dv = np.zeros_like(view.u), np.zeros_like(view.v)
    for push, amount in pushes:
        weight = view.oval(push.centre, push.radii) * np.float32(amount)
        across, down = view.u - push.centre.real, view.v - push.centre.imag
        du += weight * (push.shift.real + push.stretch.real * across - push.turn * down)
        dv += weight * (push.shift.imag + push.stretch.imag * down + push.turn * across)
    axis = view.face.axis
    rows, columns = np.indices(view.u.shape, np.float32)
    from_x = columns - (axis.real * du - axis.imag * dv).astype(np.float32)
    from_y = rows - (axis.imag * du + axis.real * dv).astype(np.float32)
    moved = cv2.remap(view.rgb, from_x, from_y, cv2.INTER_CUBIC, None, cv2.BORDER_REFLECT_101)
    return np.clip(np.asarray(moved, np.float32), 0, 255)


_HEAD = 2.0 + 2.1j
_MOUTH = 1.0j

SLIDERS: dict[str, tuple[Push, ...]] = {
    "face_editor_eyebrow_direction": both_sides(Push(0.5 - 0.30j, 0.50 + 0.26j, -0.10j)),
    "face_editor_eye_gaze_horizontal": (
        Push(-0.5 + 0j, 0.24 + 0.14j, 0.09 + 0j),
        Push(0.5 + 0j, 0.24 + 0.14j, 0.09 + 0j),
    ),
    "face_editor_eye_gaze_vertical": both_sides(Push(0.5 + 0j, 0.22 + 0.16j, -0.06j)),
    "face_editor_eye_open_ratio": both_sides(Push(0.5 + 0j, 0.40 + 0.24j, stretch=0.60j)),
    "face_editor_lip_open_ratio": (
        Push(_MOUTH, 0.60 + 0.36j, stretch=0.60j),
        Push(1.45j, 0.80 + 0.60j, 0.10j),
    ),
    "face_editor_mouth_grim": (
        Push(_MOUTH, 0.70 + 0.34j, stretch=0.20 - 0.45j),
        *both_sides(Push(0.46 + 1.0j, 0.30 + 0.28j, 0.06j)),
    ),
    "face_editor_mouth_pout": (Push(1.05j, 0.62 + 0.40j, -0.05j, stretch=-0.30 + 0.35j),),
    "face_editor_mouth_purse": (Push(_MOUTH, 0.75 + 0.42j, stretch=-0.45 + 0j),),
    "face_editor_mouth_smile": both_sides(
        Push(0.46 + 0.97j, 0.42 + 0.42j, 0.08 - 0.16j), Push(0.62 + 0.55j, 0.42 + 0.36j, -0.04j)
    ),
    "face_editor_mouth_position_horizontal": (Push(_MOUTH, 0.85 + 0.50j, 0.18 + 0j),),
    "face_editor_mouth_position_vertical": (Push(_MOUTH, 0.85 + 0.50j, -0.13j),),
    "face_editor_head_pitch": (Push(0.35j, 1.70 + 1.60j, -0.20j),),
    "face_editor_head_yaw": (Push(0.45j, 1.25 + 1.60j, 0.28 + 0j),),
    "face_editor_head_roll": (Push(0.1j, _HEAD, turn=0.35),),
}
"""What a slider does at +100; at -100 it does the opposite."""


def edited(view: View, operation: EditOperation) -> Floats:
    """Change expression and pose of a face; colours away from the head are unchanged."""
    amounts = {name: (getattr(operation, name) or 0) / 100 for name in SLIDERS}
    pushes = [
        (push, amount) for name, amount in amounts.items() if amount for push in SLIDERS[name]
    ]
    return warped(view, pushes) if pushes else view.rgb
