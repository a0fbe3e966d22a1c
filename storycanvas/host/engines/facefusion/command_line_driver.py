"""FaceFusion started anew for every run: the way that fits every version.

A command line has no output but a picture. So faces are read off the boxes that FaceFusion's own
face debugger draws, masks off its contours, and ages are found by its own age filter.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import ClassVar

from storycanvas.faces.pictures.reading import Picture, read_picture
from storycanvas.host.engines.facefusion.drawn import Box, drawn_boxes, drawn_mask
from storycanvas.host.engines.facefusion.drivers.driver import Deadline, DetectedFaces, SeenFace
from storycanvas.host.engines.facefusion.process.child import Child, ProcessConfig
from storycanvas.host.engines.facefusion.process.errors import (
    Ended,
    ProcessEnded,
    ProcessHung,
    trouble,
)
from storycanvas.host.engines.facefusion.process.log import Said
from storycanvas.host.engines.facefusion.process.workspace import Workspace
from storycanvas.host.engines.facefusion.translation.ages import AGE_CLASSES

_PROGRAM = "facefusion.py"
_OLDEST = 100


class CommandLineDriver:
    """Runs `headless-run` once for each thing to be done.

    Args:
        where: How FaceFusion's processes run.
    """

    mode: ClassVar[str] = "command-line"

    def __init__(self, where: ProcessConfig) -> None:
        self._where = where
        self._said = Said()
        self._child: Child | None = None

    def begin(self) -> None:
        """Begin an operation's log."""
        self._said.begin()

    def look(
        self,
        options: Sequence[str],
        target: Path,
        job: Workspace,
        deadline: Deadline,
        *,
        ages: bool,
    ) -> DetectedFaces:
        """Find the faces of a picture; their order is told by their boxes, without scores."""
        view = _View(self, options, target, job, deadline)
        boxes = view.boxes("--face-selector-mode", "many")
        chosen = boxes if len(boxes) < 2 else view.boxes()  # noqa: PLR2004 - one needs no choice
        known = view.ages(boxes) if ages else {}
        return DetectedFaces(
            tuple(_seen(box, chosen, known.get(box)) for box in _in_order(boxes, options))
        )

    def mask(
        self, options: Sequence[str], target: Path, job: Workspace, deadline: Deadline
    ) -> bytes:
        """Make the mask of the selected faces, black and white."""
        contours = read_picture(self.run(options, target, (), job, deadline), "FaceFusion's output")
        return drawn_mask(read_picture(target.read_bytes(), "the target"), contours).png

    def run(
        self,
        options: Sequence[str],
        target: Path,
        sources: Sequence[Path],
        job: Workspace,
        deadline: Deadline,
    ) -> bytes:
        """Have a picture changed."""
        output = job.output()
        code = self._carry_out([*options, *job.paths(target, output, sources)], deadline)
        problem = trouble(Ended(code, None, self.log(), output.exists()))
        if problem is not None:
            raise problem
        return output.read_bytes()

    def log(self) -> tuple[str, ...]:
        """Give what FaceFusion said during the operation."""
        return self._said.lines()

    def end(self) -> None:
        """End the run that goes on, if one does."""
        if self._child is not None:
            self._child.end()

    def _carry_out(self, arguments: Sequence[str], deadline: Deadline) -> int:
        self._said.begin()
        self._child = child = Child([_PROGRAM, "headless-run", *arguments], self._where)
        saying = self._said.follow(child.said)
        try:
            code = child.wait(deadline.left())
        finally:
            self._child = None
            child.end()
            saying.join()
            child.forget()
        if code is None:
            raise ProcessHung(deadline.seconds)
        if code < 0:  # ended by a signal
            raise ProcessEnded(code)
        return code


class _View:
    """One picture looked at by FaceFusion's face debugger."""

    def __init__(
        self,
        driver: CommandLineDriver,
        options: Sequence[str],
        target: Path,
        job: Workspace,
        deadline: Deadline,
    ) -> None:
        self._driver = driver
        self._options = options
        self._target = target
        self._job = job
        self._deadline = deadline
        self._picture = read_picture(target.read_bytes(), "the target")

    def boxes(self, *changed: str) -> tuple[Box, ...]:
        """Have the faces drawn that the options choose; the last word on an option counts."""
        drawn = self._drawn((*self._options, *changed))
        return drawn_boxes(self._picture, drawn)

    def ages(self, boxes: Iterable[Box]) -> dict[Box, float]:
        """Find each face's age class by halving: the age filter leaves out who is younger."""
        classes = {box: (0, len(AGE_CLASSES) - 1) for box in boxes}
        while undecided := [pair for pair in classes.values() if pair[0] < pair[1]]:
            middle = sum(undecided[0]) // 2 + 1
            older = set(self._not_younger(middle))
            classes = {box: _halved(pair, middle, box in older) for box, pair in classes.items()}
        return {box: AGE_CLASSES[low].mean for box, (low, _) in classes.items()}

    def _not_younger(self, age_class: int) -> tuple[Box, ...]:
        start = str(AGE_CLASSES[age_class].start)
        filtered = ("--face-selector-age-start", start, "--face-selector-age-end", str(_OLDEST))
        return self.boxes("--face-selector-mode", "many", *filtered)

    def _drawn(self, options: Sequence[str]) -> Picture:
        output = self._driver.run(options, self._target, (), self._job, self._deadline)
        return read_picture(output, "FaceFusion's output")


def _halved(pair: tuple[int, int], middle: int, not_younger: bool) -> tuple[int, int]:
    low, high = pair
    if not low < middle <= high:
        return pair
    return (middle, high) if not_younger else (low, middle - 1)


def _in_order(boxes: Iterable[Box], options: Sequence[str]) -> list[Box]:
    """Sort boxes as FaceFusion's selector does; the order by score cannot be told from them."""
    order = options[options.index("--face-selector-order") + 1]
    keys = {
        "left-right": lambda box: box.x,
        "right-left": lambda box: -box.x,
        "top-bottom": lambda box: box.y,
        "bottom-top": lambda box: -box.y,
        "small-large": lambda box: box.width * box.height,
        "large-small": lambda box: -box.width * box.height,
    }
    return sorted(boxes, key=keys.get(order, lambda box: box.x))


def _seen(box: Box, chosen: Sequence[Box], age: float | None) -> SeenFace:
    return SeenFace(
        box.x,
        box.y,
        box.x + box.width,
        box.y + box.height,
        score=None,
        age=age,
        selected=box in chosen,
    )
