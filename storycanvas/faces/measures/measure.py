"""What is measured of a picture, and what measures it.

Distances and ages are kept, never the numbers that a recogniser makes of a face: those identify a
person and are biometric data.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from storycanvas.faces.sheets.contact_sheet import Box

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]

MEASURE_VERSION = 2
"""Grows when the same picture would be measured otherwise; older measures are taken anew."""

LikenessScale = Literal["facefusion", "dlib"]
"""Whose distances they are: those of two recognisers cannot be compared."""

SAME_BELOW: dict[LikenessScale, float] = {"facefusion": 0.3, "dlib": 0.6}
"""Below it two faces are usually one person's: the default of `reference_face_distance` of
FaceFusion 3.8.1, half of one minus the cosine, and the bound that dlib's network was trained for.
"""


@dataclass(frozen=True)
class LandmarkedFace:
    """A face whose points were found.

    Attributes:
        box: Left, top, width and height in pixels, around the points.
        points: 468 points, x and y in pixels and z on the same scale, as MediaPipe numbers them.
        fit: How surely the points lie on a face, 0 to 1, by the landmark model itself.
        yaw: Degrees by which the head is turned to the right edge of the picture.
        pitch: Degrees by which the head is turned upwards.
        roll: Degrees by which it is tilted clockwise.
    """

    box: Box
    points: Floats
    fit: float
    yaw: float
    pitch: float
    roll: float


class LandmarkFinder(Protocol):
    """Finds faces and their points; safe to share between threads."""

    def find(self, rgb: Bytes) -> tuple[LandmarkedFace, ...]:
        """Find the faces of a picture (height x width x 3), the largest first."""
        ...


class AgeReader(Protocol):
    """Reads the age of a face; safe to share between threads."""

    def read(self, rgb: Bytes, face: LandmarkedFace) -> float:
        """Read the age in years."""
        ...


class LikenessMeter(Protocol):
    """Measures how unlike two faces are; safe to share between threads.

    Attributes:
        scale: Whose distances they are.
        same_below: Below it two faces are usually one person's.
    """

    scale: LikenessScale
    same_below: float

    def distances(
        self,
        reference: tuple[Bytes, LandmarkedFace],
        faces: tuple[Bytes, tuple[LandmarkedFace, ...]],
    ) -> tuple[float, ...]:
        """Measure the distance of each face of a picture to a reference face; 0 is the same."""
        ...

    def distance_table(
        self,
        references: Sequence[tuple[Bytes, LandmarkedFace]],
        faces: Sequence[tuple[Bytes, LandmarkedFace]],
    ) -> tuple[tuple[float, ...], ...]:
        """Measure faces of any pictures against several references: a row a reference.

        Each face is looked at once, which is all that takes time.
        """
        ...


@dataclass(frozen=True)
class Findings:
    """What a measure found worth a sentence; never a reason to refuse anything.

    Attributes:
        notes: What a person should know, in sentences with the numbers.
        not_measured: Why something was not measured, in sentences.
    """

    notes: tuple[str, ...] = ()
    not_measured: tuple[str, ...] = ()

    def __add__(self, other: "Findings") -> "Findings":
        """Join the sentences of both."""
        return Findings(self.notes + other.notes, self.not_measured + other.not_measured)


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FaceMeasure(_Part):
    """One face of a picture; signs and units as in `LandmarkedFace`.

    Attributes:
        age: Years; None where it was not measured.
    """

    box: Box
    fit: float = Field(ge=0, le=1)
    yaw: float
    pitch: float
    roll: float
    age: float | None = None


class Likeness(_Part):
    """How unlike the changed face is to the face that it should be like.

    Of several changed faces it is the one that is least like. A face host answers it too, so fields
    that a newer host adds are ignored.

    Attributes:
        compared_with: `source` of a swap, or `input`: the same face before an edit.
        before: Distance of the face before the step; None unless there was a source.
        after: Distance of the face after the step.
        others: Largest distance between a face that was not chosen and itself before the step; None
            where there is none.
        scale: Whose distances they are.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    compared_with: Literal["source", "input"]
    before: float | None = Field(None, ge=0)
    after: float = Field(ge=0)
    others: float | None = Field(None, ge=0)
    scale: LikenessScale


class PictureMeasure(_Part):
    """What was measured of the picture that a step made.

    Attributes:
        version: `MEASURE_VERSION` when it was measured.
        faces: The largest first; None where they could not be measured.
        chosen: Place in `faces` of the face that the step changed; None where it is not there.
        likeness: None where it was not measured.
        meters: Names of what it was measured with; a picture is measured anew once there is more.
        notes: What a person should know about the picture, in sentences.
        not_measured: Why something was not measured, in sentences.
    """

    version: int = MEASURE_VERSION
    faces: tuple[FaceMeasure, ...] | None = None
    chosen: int | None = None
    likeness: Likeness | None = None
    meters: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    not_measured: tuple[str, ...] = ()

    def with_findings(self, findings: Findings) -> "PictureMeasure":
        """Add what else was found."""
        notes = (*self.notes, *findings.notes)
        not_measured = (*self.not_measured, *findings.not_measured)
        return self.model_copy(update={"notes": notes, "not_measured": not_measured})
