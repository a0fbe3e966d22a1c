"""What FaceFusion sees in a picture."""

from collections.abc import Sequence
from dataclasses import dataclass

from faces.contract import DetectedFace


@dataclass(frozen=True)
class SeenFace:
    """One face.

    Attributes:
        left: First column of its box, in pixels of the picture given to FaceFusion.
        top: First row.
        right: Column behind its last one.
        bottom: Row behind its last one.
        score: The detector's certainty; None where FaceFusion does not tell it.
        age: The mean of FaceFusion's estimated age class, in years; None where not asked for.
        selected: Whether the operation's selector chooses it.
    """

    left: float
    top: float
    right: float
    bottom: float
    score: float | None
    age: float | None
    selected: bool

    def within(self, width: int, height: int) -> DetectedFace:
        """Tell the face in whole pixels of the picture as it was sent.

        Args:
            width: Of the picture before it was padded.
            height: As well.
        """
        left, top = _inside(self.left, width - 1), _inside(self.top, height - 1)
        return DetectedFace(
            x=left,
            y=top,
            width=max(1, _inside(self.right, width) - left),
            height=max(1, _inside(self.bottom, height) - top),
            score=None if self.score is None else round(self.score, 3),
            estimated_age=self.age,
        )


@dataclass(frozen=True)
class Sight:
    """The faces of a picture, in selector order."""

    faces: tuple[SeenFace, ...]

    @property
    def selected(self) -> Sequence[SeenFace]:
        """The faces that the operation works on."""
        return tuple(face for face in self.faces if face.selected)


def _inside(edge: float, last: int) -> int:
    return min(max(round(edge), 0), last)
