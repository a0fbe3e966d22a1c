"""What a process measures with: what is installed of it, and why the rest is not there."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from types import MappingProxyType
from typing import Literal, TypeVar

from storycanvas.faces.errors import MeasuringFailed
from storycanvas.faces.measures.ages import NetworkAge
from storycanvas.faces.measures.landmarks import MeshFinder
from storycanvas.faces.measures.likeness import likeness_meter
from storycanvas.faces.measures.measure import AgeReader, LandmarkFinder, LikenessMeter
from storycanvas.faces.measures.weights import AGE, FACE_DETECTOR, FACE_MESH, Weights, read_weights
from storycanvas.faces.pictures.freed_memory import give_back_freed_memory

MeterName = Literal["landmarks", "age", "likeness"]

NO_REASONS: Mapping[MeterName, str] = MappingProxyType({})


@dataclass(frozen=True)
class Meters:
    """What there is to measure with; each is safe to share between threads.

    Attributes:
        landmarks: Finds faces; without it nothing is measured.
        age: Reads ages.
        likeness: Measures how unlike two faces are, where no host does.
        missing: Why one of them is None, in a sentence without a full stop.
    """

    landmarks: LandmarkFinder | None = None
    age: AgeReader | None = None
    likeness: LikenessMeter | None = None
    missing: Mapping[MeterName, str] = field(default_factory=lambda: NO_REASONS)

    @property
    def names(self) -> tuple[MeterName, ...]:
        """The meters that are there."""
        found: dict[MeterName, object] = {
            "landmarks": self.landmarks,
            "age": self.age,
            "likeness": self.likeness,
        }
        return tuple(name for name, meter in found.items() if meter is not None)


T = TypeVar("T")


@cache
def installed_meters() -> Meters:
    """Find what is installed; networks and weights are read once in a process."""
    missing: dict[MeterName, str] = {}

    def found(name: MeterName, meter: Callable[[], T], *weights: Weights) -> T | None:
        try:
            for file in weights:
                read_weights(file)
            return meter()
        except MeasuringFailed as error:
            missing[name] = str(error).removesuffix(".")
            return None

    landmarks = found("landmarks", MeshFinder, FACE_DETECTOR, FACE_MESH)
    age = found("age", NetworkAge, AGE)
    likeness: LikenessMeter | None = found("likeness", likeness_meter)
    return Meters(landmarks, age, likeness, missing)


def release_meters() -> None:
    """Give the memory of all networks back, 80 MB with the recogniser's.

    They are loaded again when they are next used, in a fifth of a second.
    """
    for loaded in (installed_meters, likeness_meter, read_weights):
        loaded.cache_clear()
    give_back_freed_memory()
