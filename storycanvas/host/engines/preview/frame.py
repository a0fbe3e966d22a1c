"""Face coordinates: where things lie in a face, whatever its size, place and tilt.

The origin is the point between the eyes, the unit is the distance of the eyes, `u` runs along
the eyes to the picture's right and `v` down to the chin. Every point of a face has the coordinates
of the same point of the mean face: the eyes are at (-0.5, 0) and (0.5, 0), the tip of the nose is
at (0, 0.6), the mouth at (0, 1), the chin at (0, 1.65), however the head is turned.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image

from storycanvas.faces.measures.measure import Bytes, Floats, LandmarkedFace
from storycanvas.faces.pictures.boxes import Box
from storycanvas.faces.pictures.reading import Picture, normal_form
from storycanvas.host.engines.preview.mesh import Points, interpolated, mean_points, ring


@dataclass(frozen=True)
class Pixels:
    """A decoded picture; operations change its colours only.

    Attributes:
        rgb: Colours, height x width x 3, 0..255.
        alpha: Height x width, 0..255, or None for an opaque picture.
        profile: ICC profile, or None.
    """

    rgb: Bytes
    alpha: Bytes | None
    profile: bytes | None

    @classmethod
    def read(cls, picture: Picture) -> "Pixels":
        """Decode a picture in normal form."""
        image = picture.image
        samples = np.array(image, np.uint8)
        profile = image.info.get("icc_profile")
        alpha = samples[:, :, 3].copy() if samples.shape[2] == 4 else None  # noqa: PLR2004 RGBA
        return cls(np.ascontiguousarray(samples[:, :, :3]), alpha, profile)

    def recoloured(self, rgb: Bytes) -> Picture:
        """Encode other colours with this picture's alpha channel and profile."""
        samples = rgb if self.alpha is None else np.dstack([rgb, self.alpha])
        image = Image.fromarray(samples)
        if self.profile:
            image.info["icc_profile"] = self.profile
        return normal_form(image)


def to_lab(rgb: Floats) -> Floats:
    """Convert colours of 0..255 to CIE Lab: L 0..100, a and b about -127..127."""
    return np.asarray(cv2.cvtColor(rgb / np.float32(255), cv2.COLOR_RGB2Lab), np.float32)


def to_rgb(lab: Floats) -> Floats:
    """Convert CIE Lab to colours of 0..255."""
    rgb = np.asarray(cv2.cvtColor(lab, cv2.COLOR_Lab2RGB), np.float32)
    return np.clip(rgb, 0, 1) * np.float32(255)


def blurred(values: Floats, sigma: float) -> Floats:
    """Blur with a Gaussian of `sigma` pixels; a wide one is done at a smaller size, for speed."""
    height, width = values.shape[:2]
    shrink = max(1, int(sigma / 4))
    if shrink == 1:
        return np.asarray(cv2.GaussianBlur(values, (0, 0), max(sigma, 0.3)), np.float32)
    size = (max(1, width // shrink), max(1, height // shrink))
    small = cv2.resize(values, size, interpolation=cv2.INTER_AREA)
    soft = cv2.GaussianBlur(small, (0, 0), sigma / shrink)
    return np.asarray(cv2.resize(soft, (width, height)), np.float32)


def smoothed(values: Floats, radius: float, contrast: float) -> Floats:
    """Smooth one channel and keep edges: a guided filter with the channel as its own guide.

    Args:
        values: Height x width.
        radius: How far it averages, in pixels.
        contrast: Steps much larger than this stay, smaller ones go; in the units of `values`.
    """
    side = 2 * max(1, round(radius)) + 1

    def mean(array: Floats) -> Floats:
        return np.asarray(cv2.blur(array, (side, side)), np.float32)

    average = mean(values)
    variance = np.maximum(mean(values * values) - average * average, 0)
    keep = variance / (variance + np.float32(contrast * contrast))
    blur = mean(np.asarray(average * (1 - keep), np.float32))
    return mean(np.asarray(keep, np.float32)) * values + blur


_LEFT_EYE, _RIGHT_EYE = (33, 133), (362, 263)
"""Points at the corners of the eye on the picture's left, and of the other."""
_SMALL = 5.0
"""Distance of the eyes in pixels of a face that counts half."""
HEAD = (-2.4 - 2.3j, 2.4 + 2.3j)
"""Two corners of the part of a picture that belongs to a face, hair and background included."""


@dataclass(frozen=True, eq=False)
class Face:
    """A face that was found, and its points."""

    seen: LandmarkedFace

    @property
    def box(self) -> Box:
        """Left, top, width and height in pixels."""
        return self.seen.box

    @property
    def score(self) -> float:
        """How well a face is seen, 0 to 1: less of one that is turned away, or small."""
        straight = np.cos(np.radians([self.seen.yaw, self.seen.pitch])).clip(0).prod()
        return float(self.seen.fit * straight * self.unit / (self.unit + _SMALL))

    @property
    def points(self) -> Points:
        """Its 468 points and those around it, as x + y * 1j in pixels; as `mean_points`."""
        x, y = self.seen.points[:, 0].astype(np.float64), self.seen.points[:, 1]
        return np.concatenate([x + 1j * y, self.origin + self.axis * ring()])

    @property
    def origin(self) -> complex:
        """The point between the eyes, as x + y * 1j in pixels."""
        x, y, _ = self.seen.points[[*_LEFT_EYE, *_RIGHT_EYE]].mean(axis=0)
        return complex(x, y)

    @property
    def axis(self) -> complex:
        """From eye to eye, as long as it would be from the front; it turns units into pixels."""
        left, right = (self.seen.points[list(eye)].mean(axis=0) for eye in (_LEFT_EYE, _RIGHT_EYE))
        x, y, depth = right - left
        flat = complex(x, y)
        return flat * float(np.hypot(abs(flat), depth)) / max(abs(flat), 1e-6)

    @property
    def unit(self) -> float:
        """Distance of the eyes in pixels."""
        return max(abs(self.axis), 1e-3)


@dataclass(frozen=True)
class View:
    """The part of a picture around one face.

    Attributes:
        rows: Of the picture.
        columns: Of the picture.
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
        part, corner = rgb[rows, columns].astype(np.float32), complex(columns.start, rows.start)
        u, v = interpolated(face.points - corner, mean_points(), part.shape[:2], face.unit)
        return cls(rows, columns, part, u, v, face)

    def placed(self, points: Points) -> Points:
        """Move points of the picture into the view."""
        return points - complex(self.columns.start, self.rows.start)

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
    """Put a share (0..1) of a view's new colours into its picture where the region is above 0."""
    mixed = view.rgb + np.float32(blend) * (changed - view.rgb)
    rounded = np.clip(np.rint(mixed), 0, 255).astype(np.uint8)
    part = rgb[view.rows, view.columns]
    np.copyto(part, rounded, where=(region > 0)[:, :, None])


def _span(places: list[float], size: int) -> slice:
    first, last = int(np.floor(min(places))), int(np.ceil(max(places))) + 1
    return slice(min(max(first, 0), size), min(max(last, 0), size))
