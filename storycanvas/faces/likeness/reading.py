"""What is read of one picture: how many faces, the largest of them, its age."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from storycanvas.faces.contract import DetectedFace
from storycanvas.faces.errors import MeasuringFailed
from storycanvas.faces.likeness.choosing import matched_distances
from storycanvas.faces.likeness.face_cuts import FaceCut, cut_face
from storycanvas.faces.measures.measure import Bytes, FaceMeasure, LandmarkedFace, LikenessMeter
from storycanvas.faces.measures.measuring import FaceMeter
from storycanvas.faces.pictures.reading import Picture


@dataclass(frozen=True, eq=False)
class ReadFace:
    """The largest face of a picture.

    Attributes:
        cut: The face with what lies around it.
        faces: How many faces the picture shows.
        age: Years; None where it was not measured.
    """

    cut: FaceCut
    faces: int
    age: float | None


def read_largest_face(picture: Picture, meter: FaceMeter) -> ReadFace | None:
    """Find and measure the largest face of a picture; None where there is no face.

    Raises:
        MeasuringFailed: Faces cannot be measured here.
    """
    rgb, landmarked, measures = _faces_of(picture, meter)
    if not landmarked:
        return None
    return ReadFace(cut_face(rgb, landmarked[0]), len(landmarked), measures[0].age)


def distance_between(meter: LikenessMeter, first: FaceCut, second: FaceCut) -> float:
    """Measure how unlike two faces are; 0 is the same."""
    (distance,) = meter.distances((first.rgb, first.face), (second.rgb, (second.face,)))
    return distance


def pairwise_distances(
    meter: LikenessMeter, cuts: Mapping[str, FaceCut]
) -> dict[tuple[str, str], float]:
    """Measure how unlike faces are to each other: each pair once, by their names.

    Not pair by pair: describing a face takes nearly all of the time.
    """
    faces = [(cut.rgb, cut.face) for cut in cuts.values()]
    table = meter.distance_table(faces, faces)
    return {
        (first, second): table[row][column]
        for (row, first), (column, second) in combinations(enumerate(cuts), 2)
    }


@dataclass(frozen=True, eq=False)
class References:
    """What the faces of pictures are compared with.

    Attributes:
        cuts: Faces of the character.
        meter: Measures the distances.
        same_below: A nearer face shows the character.
    """

    cuts: tuple[FaceCut, ...]
    meter: LikenessMeter
    same_below: float


@dataclass(frozen=True)
class FaceInPicture:
    """The face of a picture that is most like a character.

    Attributes:
        faces: How many faces the picture shows.
        age: Years; None where it was not measured.
        distance: To the nearest reference; None where it was not measured.
    """

    faces: int
    age: float | None = None
    distance: float | None = None


@dataclass(frozen=True, eq=False)
class ReadFaces:
    """All faces of a picture, the largest first.

    Attributes:
        cuts: The faces with what lies around them; empty where nothing is compared with them.
        ages: Years, of each face; None where it was not measured.
    """

    cuts: tuple[FaceCut, ...]
    ages: tuple[float | None, ...]


def read_faces(
    picture: Picture, meter: FaceMeter, known: Sequence[FaceMeasure] | None, *, compared: bool
) -> ReadFaces:
    """Find and measure all faces of a picture.

    Args:
        picture: The picture.
        meter: Measures it.
        known: Its faces as they were measured before; None where they were not.
        compared: Whether they are compared with others; known faces are else not found again.

    Raises:
        MeasuringFailed: Faces cannot be measured here.
    """
    if known is not None and not compared:
        return ReadFaces((), tuple(face.age for face in known))
    rgb, landmarked, measures = _faces_of(picture, meter, known or ())
    cuts = tuple(cut_face(rgb, face) for face in landmarked) if compared else ()
    return ReadFaces(cuts, tuple(measure.age for measure in measures))


def faces_of_character(
    pictures: Sequence[ReadFaces], references: References | None
) -> list[FaceInPicture]:
    """Choose the face of each picture that is most like the references; without any the largest.

    Raises:
        MeasuringFailed: Likeness cannot be measured here.
    """
    if references is None:
        return [FaceInPicture(len(each.ages), next(iter(each.ages), None)) for each in pictures]
    cuts = [cut for each in pictures for cut in each.cuts]
    table = references.meter.distance_table(
        [(cut.rgb, cut.face) for cut in references.cuts], [(cut.rgb, cut.face) for cut in cuts]
    )
    nearest = iter([min(column) for column in zip(*table, strict=True)])
    return [_most_alike(each, [next(nearest) for _ in each.cuts]) for each in pictures]


def _most_alike(faces: ReadFaces, distances: Sequence[float]) -> FaceInPicture:
    if not distances:
        return FaceInPicture(0)
    place = min(range(len(distances)), key=distances.__getitem__)
    return FaceInPicture(len(distances), faces.ages[place], round(distances[place], 4))


def distances_to_person(
    person: Picture,
    picture: Picture,
    faces: Sequence[DetectedFace],
    meter: FaceMeter,
    likeness: LikenessMeter,
) -> list[float | None]:
    """Measure how unlike the faces that a host found are to the largest face of a picture.

    Returns:
        None for a face that is not found again, and for all where the person's picture has no face.

    Raises:
        MeasuringFailed: Faces cannot be measured here.
    """
    known = read_largest_face(person, meter)
    if known is None:
        return [None] * len(faces)
    rgb, found, _ = _faces_of(picture, meter)
    distances = likeness.distances((known.cut.rgb, known.cut.face), (rgb, found))
    measured = [(face.box, distance) for face, distance in zip(found, distances, strict=True)]
    return matched_distances(faces, measured)


def _faces_of(
    picture: Picture, meter: FaceMeter, known: Sequence[FaceMeasure] = ()
) -> tuple[Bytes, tuple[LandmarkedFace, ...], tuple[FaceMeasure, ...]]:
    rgb = np.asarray(picture.image.convert("RGB"))
    found = meter.measure(rgb, known)
    if found.landmarked is None or found.measures is None:
        raise MeasuringFailed(" ".join(found.not_measured))
    return rgb, found.landmarked, found.measures
