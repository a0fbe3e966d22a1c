"""Measuring all faces of a picture, and saying what could not be measured and why."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TypeVar

from storycanvas.faces.errors import MeasuringFailed
from storycanvas.faces.measures.ages import NetworkAge
from storycanvas.faces.measures.landmarks import MeshFinder
from storycanvas.faces.measures.measure import (
    AgeReader,
    Bytes,
    FaceMeasure,
    LandmarkedFace,
    LandmarkFinder,
)
from storycanvas.faces.pictures.boxes import MIN_OVERLAP, overlap

_T = TypeVar("_T")


@dataclass(frozen=True)
class MeasuredFaces:
    """The faces of a picture.

    Attributes:
        landmarked: With their points, the largest first; None where they could not be measured.
        measures: The same faces in the same order, as they are kept.
        not_measured: Why something was not measured, in sentences.
    """

    landmarked: tuple[LandmarkedFace, ...] | None
    measures: tuple[FaceMeasure, ...] | None
    not_measured: tuple[str, ...] = ()


class FaceMeter:
    """Measures faces on the CPU, without a network; safe to share between threads."""

    def __init__(self, finder: LandmarkFinder | None = None, ages: AgeReader | None = None) -> None:
        self._finder: LandmarkFinder = finder or MeshFinder()
        self._ages: AgeReader = ages or NetworkAge()

    def measure(self, rgb: Bytes, known: Sequence[FaceMeasure] = ()) -> MeasuredFaces:
        """Measure the faces of a picture (height x width x 3): box, fit, pose and age.

        A picture without a face has no measures and nothing to say; what cannot be measured is
        told, not raised.

        Args:
            rgb: The picture.
            known: Faces of it as they were measured before: their ages are not read again.
        """
        problems: list[str] = []
        faces = _told(lambda: self._finder.find(rgb), "faces", problems)
        if faces is None:
            return MeasuredFaces(None, None, tuple(problems))
        measures = tuple(self._measure_of(rgb, face, known, problems) for face in faces)
        return MeasuredFaces(faces, measures, tuple(dict.fromkeys(problems)))

    def _measure_of(
        self, rgb: Bytes, face: LandmarkedFace, known: Sequence[FaceMeasure], problems: list[str]
    ) -> FaceMeasure:
        before = [each for each in known if overlap(each.box, face.box) >= MIN_OVERLAP]
        if before:
            age = before[0].age
        else:
            age = _told(lambda: self._ages.read(rgb, face), "age", problems)
        return FaceMeasure(
            box=face.box, fit=face.fit, yaw=face.yaw, pitch=face.pitch, roll=face.roll, age=age
        )


@cache
def face_meter() -> FaceMeter:
    """Return the meter that this process shares; its networks are loaded when first used."""
    return FaceMeter()


def _told(take: Callable[[], _T], what: str, problems: list[str]) -> _T | None:
    try:
        return take()
    except MeasuringFailed as error:
        problems.append(f"{what} not measured: {error}")
        return None
