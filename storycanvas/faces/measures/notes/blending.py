"""Whether a swapped face fits into its picture: by its colour and by its sharpness."""

import math

import numpy as np

from storycanvas.faces.measures.measure import Bytes, Findings, Floats, LandmarkedFace
from storycanvas.faces.measures.notes.regions import COLOUR_WIDTH, MIN_PIXELS, FaceView, Mask

MAX_COLOUR_DISTANCE = 10.0
"""a*b* distance of a swapped face to the skin around it without a note: docs/figures.md."""

MIN_SHARPNESS, MAX_SHARPNESS = 0.6, 1.75
"""Sharpness of a swapped face, in that of its surroundings, without a note: docs/figures.md."""

_LIKE_SKIN_COLOUR, _LIKE_SKIN_LIGHTNESS = 10.0, 25.0
"""Distances in a*b* and L* to the face before the swap up to which its surroundings are skin."""
_MIN_SHARE = 0.05
"""Of the face's skin that has to be seen around it."""


def skin_colour(rgb: Bytes, face: LandmarkedFace) -> Floats | None:
    """Return the mean L*, a* and b* of a face's skin; None where too little of it is shown."""
    view = FaceView.around(rgb, face, COLOUR_WIDTH)
    skin = view.skin()
    return _mean(view, skin) if int(skin.sum()) >= MIN_PIXELS else None


def colour_difference(
    rgb: Bytes, face: LandmarkedFace, before: Floats
) -> tuple[float, float] | None:
    """Compare the colour of a swapped face with that of the skin around it.

    What counts as skin is decided by the face that was there before, since its neck and its ears
    are still there: were it decided by the new face, no difference would ever be large.

    Args:
        rgb: The picture with the swapped face, height x width x 3.
        face: The face in it.
        before: `skin_colour` of the face that was there before.

    Returns:
        Means of a* and b* of the face, less those of the skin; None where there is no such skin.
    """
    view = FaceView.around(rgb, face, COLOUR_WIDTH)
    skin = view.skin()
    around = view.surroundings() & _is_like(view, before)
    if int(skin.sum()) < MIN_PIXELS or int(around.sum()) < _MIN_SHARE * int(skin.sum()):
        return None
    _, redder, yellower = _mean(view, skin) - _mean(view, around)
    return float(redder), float(yellower)


def _mean(view: FaceView, part: Mask) -> Floats:
    return np.asarray(view.lab[part].mean(0), np.float32)


def _is_like(view: FaceView, colour: Floats) -> Mask:
    away = np.abs(view.lab - colour)
    near = np.hypot(away[:, :, 1], away[:, :, 2]) < _LIKE_SKIN_COLOUR
    return np.asarray(near & (away[:, :, 0] < _LIKE_SKIN_LIGHTNESS), np.bool_)


def colour_findings(difference: tuple[float, float] | None) -> Findings:
    """Note where a swapped face has another colour than the skin around it."""
    if difference is None:
        sentence = "The colour of the face was not compared: no skin is seen around it."
        return Findings(not_measured=(sentence,))
    distance = math.hypot(*difference)
    if distance <= MAX_COLOUR_DISTANCE:
        return Findings()
    redder, yellower = difference
    note = (
        f"The swapped face differs in colour from the skin around it by {distance:.0f} in a*b* "
        f"(a* {redder:+.0f}, b* {yellower:+.0f}); up to {MAX_COLOUR_DISTANCE:g} fits."
    )
    return Findings(notes=(note,))


def sharpness_findings(relative: float | None, before: float | None) -> Findings:
    """Note where a swapped face is softer or sharper than what is around it, and was not before.

    Args:
        relative: `relative_sharpness` of the swapped face.
        before: That of the face that was there before: blurred background is no fault of a swap.
    """
    if relative is None:
        sentence = "The sharpness of the face was not compared: nothing around it has details."
        return Findings(not_measured=(sentence,))
    known = () if before is None else (before,)
    if min((MIN_SHARPNESS, *known)) <= relative <= max((MAX_SHARPNESS, *known)):
        return Findings()
    word = "softer" if relative < MIN_SHARPNESS else "sharper"
    note = (
        f"The swapped face is {word} than what is around it: {relative:.2f} times as sharp; "
        f"{MIN_SHARPNESS:g} to {MAX_SHARPNESS:g} fits."
    )
    return Findings(notes=(note,))
