"""The interface between the host and its engines."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from storycanvas.faces.contract import DetectedFace
from storycanvas.faces.operations import FaceOperation
from storycanvas.faces.pictures.reading import Picture

Readiness = Literal["starting", "ok", "failed"]


class EngineUnusable(Exception):
    """The program that an engine drives is missing or not supported."""


@dataclass(frozen=True)
class EngineResult:
    """The result of an operation.

    Attributes:
        picture: The new picture; None for `detect`.
        faces: The faces found in the picture worked on, in selector order.
        estimated_age: The engine's estimate for the first of them before the operation, in years.
        used: Parameters that were really used where they differ from what was asked.
        models: The models that did the work, by the engine's names.
        reduced: Options that were lowered after the engine ran out of memory once.
        log: The engine's log, oldest line first, without paths.
    """

    picture: Picture | None
    faces: tuple[DetectedFace, ...]
    estimated_age: float | None
    used: Mapping[str, str | int | float] = field(default_factory=dict)
    models: tuple[str, ...] = ()
    reduced: tuple[str, ...] = ()
    log: tuple[str, ...] = ()


class Engine(Protocol):
    """Does operations, one call at a time for each of the host's slots."""

    name: str
    version: str

    @property
    def mode(self) -> str:
        """How it works: `in-process`, `resident`, `isolated`, or `starting`."""
        ...

    @property
    def readiness(self) -> Readiness:
        """Whether it can work now."""
        ...

    def able(self) -> tuple[str, ...]:
        """Return the paths of the operations it can do now."""
        ...

    def models(self) -> tuple[str, ...]:
        """Return the models it has, as operations name them."""
        ...

    def run(self, operation: FaceOperation, pictures: Sequence[Picture]) -> EngineResult:
        """Do one operation on its pictures, in the order of `operation.pictures`.

        Raises:
            NoFace: A picture that needs a face has none.
            ContentRejected: The engine refuses the picture.
            OperationUnsupported: The engine cannot do it.
            EngineFailed: The engine broke down.
        """
        ...

    def close(self) -> None:
        """Free what it started; running operations fail."""
        ...
