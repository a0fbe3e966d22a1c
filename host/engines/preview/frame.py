"""Face coordinates: where things lie in a face, whatever its size, place and tilt.

The origin is the point between the eyes, the unit is the distance of the eyes, `u` runs along
the eyes to the picture's right and `v` down to the chin. The eyes are at (-0.5, 0) and (0.5, 0),
the tip of the nose is near (0, 0.55), the mouth near (0, 1), the chin near (0, 1.7).
"""

from dataclasses import dataclass

import numpy as np

from host.engines.preview.pixels import Bytes, Floats

HEAD = (-2.4 - 2.3j, 2.4 + 2.3j)
"""Two corners of the part of a picture that belongs to a face, hair and background included."""


@dataclass(frozen=True)
class Face:
    """A face that was found.

    Attributes:
        box: Left, top, width and height in pixels.
        score: The detector's certainty; larger is surer.
        left_eye: The eye on the picture's left, as x + y * 1j in pixels.
        right_eye: The other eye.
    """

    box: tuple[int, int, int, int]
    score: float
    left_eye: complex
    right_eye: complex

    @property
    def origin(self) -> complex:
        """The point between the eyes, as x + y * 1j in pixels."""
        return (self.left_eye + self.right_eye) / 2

    @property
    def axis(self) -> complex:
        """From the left eye to the right one; multiplying by it turns face units into pixels."""
        return self.right_eye - self.left_eye

    @property
    def unit(self) -> float:
        """Distance of the eyes in pixels."""
        return abs(self.axis)


@dataclass(frozen=True)
class View:
    """The part of a picture around one face.

    Attributes:
        rows: Rows of the picture that it covers.
        columns: Columns of the picture that it covers.
        rgb: The colours there, height x width x 3, 0..255.
        u: Each pixel's face coordinate along the eyes.
        v: Each pixel's face coordinate from the eyes to the chin.
        face: The face.
    """

    rows: slice
    columns: slice
    rgb: Floats
    u: Floats
    v: Floats
    face: Face

    @classmethod
    def around(cls, face: Face, rgb: Bytes) -> "View":
        """Cut the head of a face out of a picture."""
        (low, high), (height, width) = HEAD, rgb.shape[:2]
        corners = [low, high, complex(low.real, high.imag), complex(high.real, low.imag)]
        places = [face.origin + face.axis * corner for corner in corners]
        rows = _span([place.imag for place in places], height)
        columns = _span([place.real for place in places], width)
        y, x = np.ogrid[rows, columns]
        grid = (x + 1j * y - face.origin) / face.axis
        u, v = grid.real.astype(np.float32), grid.imag.astype(np.float32)
        return cls(rows, columns, rgb[rows, columns].astype(np.float32), u, v, face)

    def oval(self, centre: complex, radii: complex, edge: float = 1.0) -> Floats:
        """Make a soft oval.

        Args:
            centre: Its middle in face coordinates.
            radii: Half its width and height in face units; outside, it is exactly 0.
            edge: Share of the radius over which it rises from 0 to 1.

        Returns:
            Weights of 0..1, height x width.
        """
        across, down = (self.u - centre.real) / radii.real, (self.v - centre.imag) / radii.imag
        rise = np.clip((1 - np.sqrt(across * across + down * down)) / edge, 0, 1)
        return np.asarray(rise * rise * (3 - 2 * rise), np.float32)

    def pair(self, centre: complex, radii: complex, edge: float = 1.0) -> Floats:
        """Make an oval and its mirror image on the other half of the face."""
        return self.oval(centre, radii, edge) + self.oval(-centre.conjugate(), radii, edge)


def face_mask(view: View) -> Floats:
    """Weights of a face from the brows to the chin, 0..1 with a soft edge."""
    return view.oval(0.52j, 1.16 + 1.36j, 0.28)


def head_mask(view: View) -> Floats:
    """Weights of a whole head with its hair, 0..1 with a soft edge."""
    return view.oval(-0.1j, 2.1 + 2.15j, 0.3)


def lay_in(rgb: Bytes, view: View, changed: Floats, region: Floats, blend: float = 1.0) -> None:
    """Put changed colours into a picture, in place.

    Args:
        rgb: The picture that the view was cut from.
        view: Where.
        changed: New colours for the whole view.
        region: Only pixels where it is above 0 change.
        blend: 0 leaves the picture as it is, 1 takes the new colours.
    """
    mixed = view.rgb + np.float32(blend) * (changed - view.rgb)
    rounded = np.clip(np.rint(mixed), 0, 255).astype(np.uint8)
    part = rgb[view.rows, view.columns]
    np.copyto(part, rounded, where=(region > 0)[:, :, None])


def _span(places: list[float], size: int) -> slice:
    first, last = int(np.floor(min(places))), int(np.ceil(max(places))) + 1
    return slice(min(max(first, 0), size), min(max(last, 0), size))
