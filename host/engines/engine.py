"""What every engine offers the host."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from faces.contract import DetectedFace
from faces.operations import FaceOperation
from faces.pictures import Picture


@dataclass(frozen=True)
class EngineResult:
    """What an operation gave.

    Attributes:
        picture: The new picture; None for `detect`.
        faces: The faces found in the picture worked on, in selector order.
        estimated_age: The engine's estimate for the first of them before the operation, in years.
    """

    picture: Picture | None
    faces: tuple[DetectedFace, ...]
    estimated_age: float | None


class Engine(Protocol):
    """Carries out operations, one call at a time for each of the host's slots."""

    name: str
    version: str

    def run(self, operation: FaceOperation, pictures: Sequence[Picture]) -> EngineResult:
        """Carry out one operation.

        Args:
            operation: What to do.
            pictures: Its input pictures, in the order of `operation.pictures`.

        Returns:
            The new picture and what was seen.

        Raises:
            faces.errors.NoFace: A picture that needs a face has none.
            faces.errors.ContentRejected: The engine refuses the picture.
            faces.errors.EngineFailed: The engine broke down.
        """
        ...
