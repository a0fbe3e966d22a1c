"""Moving parts of a face: soft pushes, given in face coordinates."""

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np

from host.engines.preview.frame import View
from host.engines.preview.pixels import Floats


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
    """Move the colours of a view.

    Args:
        view: The face.
        pushes: Each push with the share of it to apply, -1..1.

    Returns:
        Colours of the whole view; what no push reaches is unchanged.
    """
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
