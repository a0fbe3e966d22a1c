"""What every engine offers the host."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from storycanvas.faces.contract import DetectedFace
from storycanvas.faces.operations import FaceOperation
from storycanvas.faces.pictures.reading import Picture

Readiness = Literal["starting", "ok", "failed"]


class EngineUnusable(Exception):
    """What an engine drives is missing or not supported."""


@dataclass(frozen=True)
class EngineResult:
    """What an operation gave.

    Attributes:
        picture: The new picture; None for `detect`.
        faces: The faces found in the picture worked on, in selector order.
        estimated_age: The engine's estimate for the first of them before the operation, in years.
        used: Parameters that were really used where they differ from what was asked.
        models: The models that did the work, by the engine's names.
        stepped_down: What was done with less, after the engine ran out of memory once.
        log: What the engine said, oldest line first, without paths.
    """

    picture: Picture | None
    faces: tuple[DetectedFace, ...]
    estimated_age: float | None
    used: Mapping[str, str | int | float] = field(default_factory=dict)
    models: tuple[str, ...] = ()
    stepped_down: tuple[str, ...] = ()
    log: tuple[str, ...] = ()


class Engine(Protocol):
    """Carries out operations, one call at a time for each of the host's slots."""

    name: str
    version: str

    @property
    def mode(self) -> str:
        """How it works: `in-process`, `resident`, `command-line`, or `starting`."""
        ...

    @property
    def readiness(self) -> Readiness:
        """Whether it can work now."""
        ...

    def able(self) -> tuple[str, ...]:
        """Name the operations it can do now, by their paths."""
        ...

    def models(self) -> tuple[str, ...]:
        """Name the models it has, as operations name them."""
        ...

    def run(self, operation: FaceOperation, pictures: Sequence[Picture]) -> EngineResult:
        """Carry out one operation.

        Args:
            operation: What to do.
            pictures: Its input pictures, in the order of `operation.pictures`.

        Returns:
            The new picture and what was seen.

        Raises:
            storycanvas.faces.errors.NoFace: A picture that needs a face has none.
            storycanvas.faces.errors.ContentRejected: The engine refuses the picture.
            storycanvas.faces.errors.OperationUnsupported: This engine has nothing that could do it.
            storycanvas.faces.errors.EngineFailed: The engine broke down.
        """
        ...

    def close(self) -> None:
        """End what it started; nothing runs any more by then, or its time is over."""
        ...
