"""The two ways to have FaceFusion do something offer the engine the same."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Protocol

from host.engines.facefusion.failures import ProcessHung
from host.engines.facefusion.sight import Sight
from host.engines.facefusion.workspace import Workspace


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
    ) -> Sight:
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
