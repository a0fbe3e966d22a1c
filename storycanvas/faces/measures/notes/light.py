"""Whether two faces are seen in the same light, before one is swapped for the other."""

from dataclasses import dataclass

import numpy as np

from storycanvas.faces.measures.measure import Bytes, Findings, LandmarkedFace
from storycanvas.faces.measures.notes.regions import COLOUR_WIDTH, MIN_PIXELS, FaceView

MAX_LIGHTNESS_DIFFERENCE = 25.0
"""L* by which two faces may differ without a note; from 30 swaps, see docs/figures.md."""

MAX_SLOPE_DIFFERENCE = 25.0
"""L* across a face by which the slopes of two faces may differ without a note; likewise."""


@dataclass(frozen=True)
class FaceLight:
    """The light on a face.

    Attributes:
        mean: Mean L* of its skin, 0 to 100.
        slope: L* by which the skin grows lighter across the whole width of the face, from its left
            edge in the picture to its right one.
    """

    mean: float
    slope: float


def light_of(rgb: Bytes, face: LandmarkedFace) -> FaceLight | None:
    """Measure the light on a face.

    Args:
        rgb: Height x width x 3.
        face: The face in it.

    Returns:
        The light; None where too little of the face is in the picture.
    """
    view = FaceView.around(rgb, face, COLOUR_WIDTH)
    skin = view.skin()
    if not view.is_whole or int(skin.sum()) < MIN_PIXELS:
        return None
    lightness = view.lightness[skin].astype(np.float64)
    axis, width = view.across
    y, x = np.nonzero(skin)
    across, down = (x * axis[0] + y * axis[1]) / width, (y * axis[0] - x * axis[1]) / width
    # A plane: what grows from the chin to the forehead is not taken for growth across.
    places = np.column_stack([np.ones_like(across), across, down])
    (_, slope, _), *_ = np.linalg.lstsq(places, lightness, rcond=None)
    return FaceLight(float(lightness.mean()), float(slope))


def light_findings(source: FaceLight | None, target: FaceLight | None) -> Findings:
    """Note where the light on the source face of a swap is not that on the target face."""
    if source is None or target is None:
        name = "source" if source is None else "target"
        return Findings(
            not_measured=(f"The light was not compared: too little of the {name} face is shown.",)
        )
    return _lightness_findings(source, target) + _slope_findings(source, target)


def _lightness_findings(source: FaceLight, target: FaceLight) -> Findings:
    difference = abs(source.mean - target.mean)
    if difference <= MAX_LIGHTNESS_DIFFERENCE:
        return Findings()
    word = "lighter" if source.mean > target.mean else "darker"
    note = (
        f"The source face is {word} than the target face by {difference:.0f} L* "
        f"({source.mean:.0f} and {target.mean:.0f}); up to {MAX_LIGHTNESS_DIFFERENCE:g} fits."
    )
    return Findings(notes=(note,))


def _slope_findings(source: FaceLight, target: FaceLight) -> Findings:
    difference = abs(source.slope - target.slope)
    if difference <= MAX_SLOPE_DIFFERENCE:
        return Findings()
    note = (
        "The faces are lit from different sides: from left to right, L* changes by "
        f"{source.slope:+.0f} on the source face and by {target.slope:+.0f} on the target face; "
        f"a difference up to {MAX_SLOPE_DIFFERENCE:g} fits."
    )
    return Findings(notes=(note,))
