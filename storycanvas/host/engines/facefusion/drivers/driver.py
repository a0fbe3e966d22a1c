"""The two ways to have FaceFusion do something offer the engine the same."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Protocol

from storycanvas.faces.contract import DetectedFace
from storycanvas.host.engines.facefusion.process.errors import ProcessHung
from storycanvas.host.engines.facefusion.process.workspace import Workspace


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
class DetectedFaces:
    """The faces of a picture, in selector order."""

    faces: tuple[SeenFace, ...]

    @property
    def selected(self) -> Sequence[SeenFace]:
        """The faces that the operation works on."""
        return tuple(face for face in self.faces if face.selected)


def _inside(edge: float, last: int) -> int:
    return min(max(round(edge), 0), last)


class Deadline:
    """By when one try has to end.

    Args:
        seconds: From now on.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        """Give the seconds that are left.

        Raises:
            ProcessHung: None are.
        """
        left = self._end - time.monotonic()
        if left <= 0:
            raise ProcessHung(self.seconds)
        return left


class Driver(Protocol):
    """Has FaceFusion work on pictures, one at a time; each of the host's slots has one."""

    mode: ClassVar[str]
    """`resident` or `command-line`, as `status` names it."""

    def begin(self) -> None:
        """Get ready for an operation: its log begins, and a process that is due is replaced."""
        ...

    def look(
        self,
        options: Sequence[str],
        target: Path,
        job: Workspace,
        deadline: Deadline,
        *,
        ages: bool,
    ) -> DetectedFaces:
        """Find the faces of a picture and those that the selector chooses.

        Args:
            options: A command line for the processor `face_debugger`, without paths.
            target: The picture.
            job: Where the operation has its files.
            deadline: By when.
            ages: Whether their ages are needed; else they are told only where that costs nothing.

        Raises:
            ContentRejected: The content analyser refuses the picture.
            EngineFailed: FaceFusion fails in an orderly way.
            Breakdown: It does not; a second try may help.
        """
        ...

    def mask(
        self, options: Sequence[str], target: Path, job: Workspace, deadline: Deadline
    ) -> bytes:
        """Make the mask of the selected faces.

        Args:
            options: A command line for the processor `face_debugger`, without paths.
            target: The picture; it has a selected face.
            job: Where the operation has its files.
            deadline: By when.

        Returns:
            A PNG of the target's size, white where an operation may change it.

        Raises:
            ContentRejected: The content analyser refuses the picture.
            EngineFailed: FaceFusion fails in an orderly way.
            Breakdown: It does not; a second try may help.
        """
        ...

    def run(
        self,
        options: Sequence[str],
        target: Path,
        sources: Sequence[Path],
        job: Workspace,
        deadline: Deadline,
    ) -> bytes:
        """Have a picture changed.

        Args:
            options: A command line, without paths.
            target: The picture to change.
            sources: The pictures to take a face from.
            job: Where the operation has its files.
            deadline: By when.

        Returns:
            The changed picture, a PNG.

        Raises:
            ContentRejected: The content analyser refuses the picture.
            NoFace: No source has a face.
            EngineFailed: FaceFusion fails in an orderly way.
            Breakdown: It does not; a second try may help.
        """
        ...

    def log(self) -> tuple[str, ...]:
        """Give what FaceFusion said during the operation."""
        ...

    def end(self) -> None:
        """End FaceFusion's process, whatever it is doing; the next operation gets a new one."""
        ...
