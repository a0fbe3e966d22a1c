"""Which pictures and faces are too small for good results."""

from collections.abc import Mapping
from dataclasses import dataclass, field

POOR_PICTURE = 256
"""Pixels of a picture's shorter side below which results are poor."""

GOOD_PICTURE = 512
"""Pixels of a picture's shorter side from which on results are good: what enhancers work at."""

SMALLEST_FACE = 128
"""Pixels of a face's shorter side: the grid of `inswapper_128`."""


@dataclass(frozen=True)
class Remarks:
    """What a user should know about the inputs of a run.

    Attributes:
        warnings: Results will be poor.
        notes: Results could be better.
        about: Which picture a warning is about, by its sentence, where there are several.
    """

    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    about: Mapping[str, str] = field(default_factory=dict)


def size_remarks(name: str, picture: tuple[int, int], face: tuple[int, int] | None) -> Remarks:
    """Judge an input of a run.

    Args:
        name: What messages call the picture.
        picture: Its width and height in pixels.
        face: Those of the face that counts; None if none was found.
    """
    warnings, notes = [], []
    shown = f"The {name} picture is {picture[0]} x {picture[1]} pixels"
    if min(picture) < POOR_PICTURE:
        warnings.append(f"{shown}; take one whose shorter side has {POOR_PICTURE} or more.")
    elif min(picture) < GOOD_PICTURE:
        notes.append(f"{shown}; {GOOD_PICTURE} or more on the shorter side give better results.")
    if face is not None:
        warnings += face_size_warnings(name, face)
    return Remarks(tuple(warnings), tuple(notes))


def face_size_warnings(name: str, face: tuple[int, int]) -> tuple[str, ...]:
    """Warn of a face that is smaller than what is made of it."""
    if min(face) >= SMALLEST_FACE:
        return ()
    sentence = (
        f"The face in the {name} picture is {face[0]} x {face[1]} pixels; take a picture in "
        f"which its shorter side has {SMALLEST_FACE} or more, the grid of the face swapper."
    )
    return (sentence,)
