"""Faces of a picture with the pixels around them, so that the picture need not stay in memory."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from PIL import Image

from storycanvas.faces.likeness.face_cuts import FaceCut, cut_face
from storycanvas.faces.measures.measure import Bytes, LandmarkedFace, LandmarkFinder
from storycanvas.faces.measures.notes.kinds import FLAT_FACE, flat_share
from storycanvas.faces.pictures.boxes import Box, overlap
from storycanvas.faces.pictures.colours import to_srgb
from storycanvas.faces.results.covered import COVERED, colour_step

MAX_SIDE = 2048
"""Pixels of the longer side of what is measured; a larger picture is reduced by a whole factor."""


MIN_SIDE = 48
"""Pixels of a face below which age and likeness are guesses: both networks see more than twice as
many."""


@dataclass(frozen=True)
class SeenFace:
    """A face that was found in a picture.

    Attributes:
        box: Left, top, width and height in pixels of the whole picture.
        cut: The face with the pixels around it, of the picture as it was measured.
    """

    box: Box
    cut: FaceCut

    @cached_property
    def doubt(self) -> str | None:
        """Why age and likeness of the face would be guesses; None where they are not."""
        cut = self.cut
        if cut.side < MIN_SIDE:
            return f"the face has {cut.side} pixels, and {MIN_SIDE} are the least"
        if colour_step(cut) >= COVERED:
            return "something seems to cover the face, as a mask does"
        flat = flat_share(cut.rgb, cut.face)
        if flat is not None and flat >= FLAT_FACE:
            return "the face may be drawn, and the networks know photographs"
        return None


SeenFaces = tuple[SeenFace, ...]


@dataclass(frozen=True)
class MeasuredPixels:
    """The pixels that are measured.

    Attributes:
        rgb: Height x width x 3, in sRGB.
        factor: Pixels of the picture in one of them, along a side.
    """

    rgb: Bytes
    factor: int

    @classmethod
    def of(cls, image: Image.Image) -> "MeasuredPixels":
        """Take the pixels of a picture; of a large one fewer, which cost less to keep and search.

        Args:
            image: RGB or RGBA, with its ICC profile in `info`.
        """
        factor = -(-max(image.size) // MAX_SIDE)
        small = image.reduce(factor) if factor > 1 else image
        small.info = image.info
        return cls(np.asarray(to_srgb(small).convert("RGB")), factor)

    def faces(self, finder: LandmarkFinder) -> SeenFaces:
        """Find the faces, the largest first."""
        return tuple(self._seen(face) for face in finder.find(self.rgb))

    def _seen(self, face: LandmarkedFace) -> SeenFace:
        x, y, width, height = (self.factor * value for value in face.box)
        return SeenFace((x, y, width, height), cut_face(self.rgb, face))


def nearest(box: Box, faces: Sequence[SeenFace]) -> int | None:
    """Find the face that a box overlaps most; None where it overlaps none."""
    shares = [overlap(box, face.box) for face in faces]
    best = max(range(len(shares)), key=shares.__getitem__, default=None)
    return None if best is None or shares[best] == 0 else best


def chosen_place(faces: Sequence[SeenFace], selected: Sequence[Box]) -> int | None:
    """Find the face that an operation changed, by the boxes that it worked on.

    An only face is the one that was changed where the operation's boxes are not known.
    """
    if not selected:
        return 0 if len(faces) == 1 else None
    return nearest(selected[0], faces)
