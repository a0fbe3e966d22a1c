"""Which of the detected faces a written box, an index or a place means."""

from collections.abc import Mapping, Sequence

from storycanvas.couple.written_faces import BoxForm, Corners, FaceData, WrittenFace
from storycanvas.faces.contract import DetectedFace
from storycanvas.faces.errors import NoFace, OutOfRange
from storycanvas.faces.pictures.boxes import MIN_OVERLAP, Box, box_of, overlap

Size = tuple[int, int]
"""Width and height of a picture in pixels."""


def from_the_left(faces: Sequence[DetectedFace]) -> list[DetectedFace]:
    """Sort faces from left to right; of two that begin at the same pixel the upper one is first."""
    return sorted(faces, key=lambda face: (face.x, face.y))


def by_score(faces: Sequence[DetectedFace]) -> list[DetectedFace]:
    """Sort faces by the detector's score, the best one first; equal ones from the left."""
    return sorted(from_the_left(faces), key=lambda face: -(face.score or 0.0))


def source_face(faces: Sequence[DetectedFace], index: int) -> DetectedFace:
    """Choose a face of a person's photo, by its score.

    Raises:
        OutOfRange: There are fewer.
    """
    if index >= len(faces):
        raise out_of_range("Source", index, len(faces))
    return by_score(faces)[index]


def out_of_range(which: str, index: int, count: int) -> OutOfRange:
    """Make the error for an index that no face has, in the app's own words."""
    return OutOfRange(f"{which} face index {index} out of range (detected {count} faces)")


class TemplateFaces:
    """The detected faces of a template, by what its documents call them.

    Args:
        detected: All faces that were found.
        size: Of the picture that they were found in.
        data: What the documents tell.
    """

    def __init__(self, detected: Sequence[DetectedFace], size: Size, data: FaceData) -> None:
        self.detected = from_the_left(detected)
        self.data = data
        self._found = matched(data.faces, self.detected, size)

    def of_index(self, index: int) -> DetectedFace:
        """Find the face that `target_face_index` means.

        Raises:
            OutOfRange: No face has this index.
            NoFace: The documents have a box for it that no detected face fits.
        """
        if not (self.data.faces and self.data.numbers_faces):
            return self.from_left(index)
        written = next((face for face in self.data.faces if face.index == index), None)
        if written is None:
            raise out_of_range("Target", index, len(self.data.faces))
        return self.of_written(written)

    def from_left(self, index: int) -> DetectedFace:
        """Find a face by its place, counted from the left.

        Raises:
            OutOfRange: There are fewer.
        """
        if index >= len(self.detected):
            raise out_of_range("Target", index, len(self.detected))
        return self.detected[index]

    def of_written(self, written: WrittenFace) -> DetectedFace:
        """Find the face that a written box means.

        Raises:
            NoFace: None fits; it is not guessed.
        """
        found = self._found.get(written.index)
        if found is None:
            raise NoFace(
                f"No detected face fits the box of face {written.index} in the template's face "
                f"data (detected {len(self.detected)} faces); have the template's faces found "
                "anew, or leave its face data empty."
            )
        return found

    def known(self) -> list[DetectedFace]:
        """List the detected faces that the documents have a box for, from the left."""
        return from_the_left([*self._found.values()])


def matched(
    written: Sequence[WrittenFace], detected: Sequence[DetectedFace], size: Size
) -> dict[int, DetectedFace]:
    """Find the detected face of each written box that has one, by its index.

    Four numbers without names are read in the form in which the boxes of all faces fit best.
    """

    def fit(found: Mapping[int, tuple[float, DetectedFace]]) -> tuple[int, float]:
        return len(found), sum(share for share, _ in found.values())

    best = max((_matched_in(form, written, detected, size) for form in BoxForm), key=fit)
    return {index: face for index, (_, face) in best.items()}


def _matched_in(
    form: BoxForm, written: Sequence[WrittenFace], detected: Sequence[DetectedFace], size: Size
) -> dict[int, tuple[float, DetectedFace]]:
    pairs = [
        (overlap(_box(face.corners[form], size), box_of(seen)), face.index, place)
        for face in written
        if form in face.corners
        for place, seen in enumerate(detected)
    ]
    found: dict[int, tuple[float, DetectedFace]] = {}
    taken: set[int] = set()
    for share, index, place in sorted(pairs, key=lambda pair: -pair[0]):
        if share >= MIN_OVERLAP and index not in found and place not in taken:
            found[index] = (share, detected[place])
            taken.add(place)
    return found


def _box(corners: Corners, size: Size) -> Box:
    """Bring a box to pixels."""
    width, height = size if corners.shares else (1, 1)
    left, top, right, bottom = corners.edges
    x, y = round(left * width), round(top * height)
    return x, y, max(1, round(right * width) - x), max(1, round(bottom * height) - y)
