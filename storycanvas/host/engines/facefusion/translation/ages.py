"""Ages as FaceFusion sees them, and the runs that take every face to one target age."""

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from storycanvas.faces.operations import FaceSelectorMode
from storycanvas.host.engines.facefusion.translation.operation import FacesOfRun
from storycanvas.host.engines.facefusion.translation.tables import nearest

_FIRST_WITH_YEARS = (3, 6)
_OLDEST = 100
_REFERENCE_ALONE = 0.05


@dataclass(frozen=True)
class AgeClass:
    """One of FairFace's nine age classes, the only estimate of an age that FaceFusion has.

    Attributes:
        start: First year.
        end: The year after the last, as in Python's `range`.
    """

    start: int
    end: int

    @property
    def mean(self) -> float:
        """The age that FaceFusion's `fran` starts from, in years."""
        return (self.start + self.end - 1) / 2


AGE_CLASSES = tuple(
    AgeClass(start, end)
    for start, end in (
        *((0, 2), (3, 9), (10, 19), (20, 29), (30, 39), (40, 49), (50, 59), (60, 69), (70, 100)),
    )
)
"""The same in FaceFusion 3.5.4 to 3.8.1, `face_classifier.py`."""


@dataclass(frozen=True)
class AgeRun:
    """One run of FaceFusion over the original picture.

    Attributes:
        estimate: The age that FaceFusion takes for the faces of this run, in years.
        faces: What selects them.
    """

    estimate: float
    faces: FacesOfRun


def knows_years(version: str) -> bool:
    """Return whether a version, such as `3.8.1`, has `fran`, whose direction is in years."""
    found = re.match(r"(\d+)\.(\d+)", version)
    if found is None:
        raise ValueError(f"{version!r} is not a version of FaceFusion; 3.8.1 is.")
    return (int(found[1]), int(found[2])) >= _FIRST_WITH_YEARS


def class_of(estimate: float) -> AgeClass:
    """Find the age class of an estimate of 0 to 100 years; between two classes, the younger."""
    if not 0 <= estimate <= _OLDEST:
        raise ValueError(f"An estimated age of {estimate}; ages are 0 to {_OLDEST} years.")
    return AGE_CLASSES[bisect_right([age_class.start for age_class in AGE_CLASSES], estimate) - 1]


def direction(target: int, estimate: float) -> int:
    """Return the years that `fran` has to add, -100 to 100.

    A half, which three of the classes lead to, is rounded away from zero, so that a wanted change
    never becomes none. The estimate is the age that FaceFusion takes for the face.
    """
    return max(-_OLDEST, min(_OLDEST, nearest(target - estimate)))


def age_runs(mode: FaceSelectorMode, estimates_of_selected: Sequence[float]) -> tuple[AgeRun, ...]:
    """Plan the runs that give each selected face the direction it needs.

    One direction serves all faces of a run. So many faces take one run for each age class among
    them, which FaceFusion's own age filter picks out; every run starts from the original picture,
    and what each changed is merged. A reference face is worked on alone, because faces like it
    may be estimated otherwise and a filter would choose another reference.

    Args:
        mode: The operation's selector mode.
        estimates_of_selected: Years, of the faces it selects in their order, from FaceFusion.

    Returns:
        The runs, youngest faces first; none without a face.
    """
    classes = [class_of(estimate) for estimate in estimates_of_selected]
    if mode in {FaceSelectorMode.MANY, FaceSelectorMode.ALL}:
        return tuple(
            AgeRun(age_class.mean, FacesOfRun(ages=(age_class.start, age_class.end)))
            for age_class in sorted(set(classes), key=lambda age_class: age_class.start)
        )
    alone = _REFERENCE_ALONE if mode is FaceSelectorMode.REFERENCE else None
    return tuple(AgeRun(first.mean, FacesOfRun(reference_distance=alone)) for first in classes[:1])
