"""What the measures of a picture say against it, each as a sentence with its numbers.

A distance is compared with the bound below which two faces are one person's: that of the character,
where its reference images give one, else the usual one of the scale.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from storycanvas.faces.measures.measure import (
    SAME_BELOW,
    Likeness,
    LikenessScale,
    PictureMeasure,
)

LEAST_GAIN = 0.05
"""By which a swap brings a face nearer to its source at least; two measures of one face differ by
less."""


BoundOrigin = Literal["setting", "references", "usual"]
"""What a bound comes from: `same_person_below`, the character's reference images, its scale."""


@dataclass(frozen=True)
class HeldBound:
    """The bound by which a likeness was checked.

    Attributes:
        same_below: Distance below which two faces show one person.
        origin: What it comes from.
        reason: Why it is the usual one although there is a character; a sentence or empty.
    """

    same_below: float
    origin: BoundOrigin
    reason: str = ""


@dataclass(frozen=True)
class Bounds:
    """From where on a measure is worth a sentence.

    Attributes:
        same_below: Distance below which two faces show one person; None takes that of the character
            or the scale.
        least_gain: By which a swap lowers the distance to its source at least.
        of_character: Bounds that the character's reference images gave, by scale.
        reason: Why they gave none, as a sentence; empty without a character.
    """

    same_below: float | None = None
    least_gain: float = LEAST_GAIN
    of_character: Mapping[LikenessScale, float] = field(default_factory=dict)
    reason: str = ""

    def held(self, scale: LikenessScale) -> HeldBound:
        """Find the bound below which two faces show one person."""
        if self.same_below is not None:
            return HeldBound(self.same_below, "setting")
        if scale in self.of_character:
            return HeldBound(self.of_character[scale], "references")
        return HeldBound(SAME_BELOW[scale], "usual", self.reason)

    def same(self, scale: LikenessScale) -> float:
        """Return the distance below which two faces show one person."""
        return self.held(scale).same_below

    def same_of_others(self, scale: LikenessScale) -> float:
        """Return the same for faces beside the character's."""
        return SAME_BELOW[scale] if self.same_below is None else self.same_below


@dataclass(frozen=True)
class Verdict:
    """What was found against a picture.

    Attributes:
        failures: What is wrong with it.
        notes: What could not be told.
        bound: By what its likeness was checked; None where it was not measured.
    """

    failures: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    bound: HeldBound | None = None


def check_measure(measure: PictureMeasure, bounds: Bounds) -> Verdict:
    """Check the picture that a step made; what was not measured is not checked."""
    found = [_NO_FACE] if measure.faces == () else []
    likeness = measure.likeness
    if likeness is None:
        return Verdict(tuple(found))
    return Verdict(
        (*found, *_of_chosen(likeness, bounds), *_of_others(likeness, bounds)),
        tuple(_untold(likeness, bounds)),
        bounds.held(likeness.scale),
    )


_NO_FACE = "No face is left in the picture."


def _of_chosen(likeness: Likeness, bounds: Bounds) -> Iterator[str]:
    same, after = bounds.same(likeness.scale), likeness.after
    if likeness.compared_with == "input":
        if after >= same:
            yield (
                f"The face shows another person than before: {after:.2f} apart, and below "
                f"{same:.2f} two faces show one."
            )
        return
    if after < same or likeness.before is None:
        return
    if likeness.before - after < bounds.least_gain:
        yield (
            f"The swap did not bring the face nearer to the source: {likeness.before:.2f} apart "
            f"before, {after:.2f} after; the engine may have skipped it or taken another face."
        )


def _of_others(likeness: Likeness, bounds: Bounds) -> Iterator[str]:
    same = bounds.same_of_others(likeness.scale)
    if likeness.others is not None and likeness.others >= same:
        yield (
            f"A face that was not chosen was changed: it is {likeness.others:.2f} from itself "
            f"before, and below {same:.2f} two faces show one person."
        )


def _untold(likeness: Likeness, bounds: Bounds) -> Iterator[str]:
    """Tell of a swap between faces that are alike anyhow: whether it was done cannot be told."""
    before = likeness.before
    if likeness.compared_with != "source" or before is None:
        return
    if before < bounds.same(likeness.scale) and before - likeness.after < bounds.least_gain:
        yield (
            f"Source and target look alike already ({before:.2f} apart), so the measures do not "
            "tell whether the swap was done."
        )
