"""What an operation usually takes: the median of the newest seconds of operations of its kind."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from storycanvas.faces.operations import FaceOperation

NEWEST = 50
"""Operations of a kind that are looked at: a host is as fast as it was lately."""

FEWEST = 10
"""Operations of a kind below which nothing is said of it."""

SLOW_TIMES, SLOW_SECONDS = 2.0, 1.0
"""A step is slow beyond so many medians, and by so much more: tenths of a second are noise."""

MODEL_FIELDS = {"enhance": "enhancement_model", "swap": "face_swapper_model"}
"""The parameter that names the model, of operations that have a choice."""

_SIZES = (512, 1024, 2048, 4096)
"""Pixels of the longest side up to which pictures are of one size class."""

Size = tuple[int, int]


@dataclass(frozen=True)
class SizeClass:
    """Pictures whose longest side has a length within bounds.

    Attributes:
        above: Pixels; their side is longer.
        upto: Pixels; their side is no longer. None without a bound.
    """

    above: int
    upto: int | None

    @classmethod
    def of(cls, size: Size) -> "SizeClass":
        """Find the class of a picture, given by width and height in pixels."""
        longest, above = max(size), 0
        for upto in _SIZES:
            if longest <= upto:
                return cls(above, upto)
            above = upto
        return cls(above, None)


@dataclass(frozen=True)
class WorkKind:
    """Operations that take about the same time.

    Attributes:
        operation_type: What is done.
        engine: What does it; the preview engine is no measure for FaceFusion.
        models: The stored parameters that name models, and their values; None where there is none.
        size: Of the picture that is made; None for an operation that makes none.
    """

    operation_type: str
    engine: str
    models: tuple[tuple[str, str | None], ...]
    size: SizeClass | None

    @classmethod
    def of(cls, operation: FaceOperation, engine: str, size: Size | None) -> "WorkKind | None":
        """Find the kind of an operation; None where the size of its picture is not known.

        A search for faces makes its picture as small as the detector takes it first, so that the
        picture's own size plays no part.
        """
        if operation.makes_picture and size is None:
            return None
        stored = operation.model_dump(mode="json")
        models = tuple((field, stored.get(field)) for field in MODEL_FIELDS.values())
        of_picture = SizeClass.of(size) if operation.makes_picture and size else None
        return cls(str(stored["operation_type"]), engine, models, of_picture)


def usual_seconds(newest: Sequence[float]) -> float | None:
    """Derive from the newest seconds of a kind what it usually takes; None from fewer than 10."""
    return median(newest[:NEWEST]) if len(newest) >= FEWEST else None


def is_slow(seconds: float, usual: float) -> bool:
    """Whether a step took so much longer than usual that a person should know."""
    return seconds > SLOW_TIMES * usual and seconds - usual >= SLOW_SECONDS


def in_seconds(seconds: float) -> str:
    """Write seconds without a decimal that does not matter: `12`, `4.3`."""
    return f"{round(seconds, 1 if seconds < 10 else 0):g}"  # noqa: PLR2004 - two digits


def slow_sentence(step: str, seconds: float, usual: float) -> str:
    """Write how long a slow step took, and how long it usually takes."""
    return f"{step}: {in_seconds(seconds)} s, usually {in_seconds(usual)}."
