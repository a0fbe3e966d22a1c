"""Which of a character's reference images is the best source of its face."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict

from storycanvas.faces.measures.baseline import (
    Baseline,
    Distances,
    character_baseline,
    median_distances,
)
from storycanvas.faces.measures.measure import SAME_BELOW, LikenessScale
from storycanvas.faces.pictures.sizes import GOOD_PICTURE, SMALLEST_FACE
from storycanvas.faces.poses import ACCEPTABLE, MARGINAL, VERY_GOOD

_WEIGHTS = {"pose": 0.3, "size": 0.25, "likeness": 0.25, "sharpness": 0.2}
"""A turned face lacks a part that no engine can know; blur a restorer can mend."""
_ONE_OF_SEVERAL = 0.85
"""Of the score: which face of a group is taken depends on the order of faces."""
_BLURRED, _SHARP = 0.06, 0.17
"""Of `FaceCut.sharpness`: six portraits have 0.17 and more, the sample target has 0.05, and they
have 0.04 to 0.06 where a Gaussian of four pixels blurred them."""


@dataclass(frozen=True)
class ReferenceFacts:
    """What was measured of a reference image.

    Attributes:
        reference: Its address.
        problem: Why it cannot be a source, in a sentence; the rest then says nothing.
        faces: How many faces it shows; the largest counts.
        side: Shorter side of that face in pixels.
        yaw: Degrees, as in `LandmarkedFace`.
        pitch: Degrees.
        sharpness: Of the largest face, as `FaceCut.sharpness`.
    """

    reference: str
    problem: str = ""
    faces: int = 0
    side: int = 0
    yaw: float = 0.0
    pitch: float = 0.0
    sharpness: float = 0.0


class RankedReference(BaseModel):
    """A reference image and what speaks for and against it.

    Attributes:
        place: From 1, the best.
        was: Its place among the character's reference images now, from 1.
        score: 0 to 1; 0 for one that is no source.
        side: Shorter side of the face in pixels; None without a face, as below.
        turned: Degrees between the direction of the face and the camera.
        unlike: Median distance to the other references; None where likeness was not measured.
        reasons: In words.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    reference: str
    place: int
    was: int
    score: float
    side: int | None = None
    turned: float | None = None
    sharpness: float | None = None
    unlike: float | None = None
    reasons: tuple[str, ...] = ()


def ranked(
    facts: Sequence[ReferenceFacts], distances: Distances, scale: LikenessScale | None
) -> tuple[RankedReference, ...]:
    """Order reference images, the best source first; equal ones keep their order.

    Args:
        facts: Of each reference image, in the character's order.
        distances: Between their faces, by reference; empty where likeness was not measured.
        scale: Whose distances they are; None where likeness was not measured.
    """
    unlike = median_distances(distances)
    baseline = character_baseline(distances, scale) if scale else None
    usual = SAME_BELOW[scale] if scale else 1.0
    judged = [
        _judged(fact, was, unlike.get(fact.reference), usual, baseline)
        for was, fact in enumerate(facts, 1)
    ]
    ordered = sorted(judged, key=lambda reference: -reference.score)
    return tuple(
        reference.model_copy(update={"place": place}) for place, reference in enumerate(ordered, 1)
    )


def in_order(stored: Sequence[object], proposed: Sequence[str]) -> list[object]:
    """Bring a stored list into an order, and lose nothing that it holds.

    What the order does not name, for it was added meanwhile, goes to the end in its own order; an
    address that stands twice stays twice.
    """
    places = {reference: place for place, reference in reversed([*enumerate(proposed)])}
    last = len(places)

    def place_of(entry: object) -> int:
        return places.get(entry, last) if isinstance(entry, str) else last

    return sorted(stored, key=place_of)


def _judged(
    fact: ReferenceFacts,
    was: int,
    unlike: float | None,
    usual: float,
    baseline: Baseline | None,
) -> RankedReference:
    if fact.problem:
        reasons = (fact.problem,)
        return RankedReference(
            reference=fact.reference, place=was, was=was, score=0.0, reasons=reasons
        )
    turned = math.degrees(
        math.acos(math.cos(math.radians(fact.yaw)) * math.cos(math.radians(fact.pitch)))
    )
    parts = {
        "pose": _share(turned, MARGINAL, 0.0),
        "size": _share(math.log2(max(1, fact.side)), math.log2(64), math.log2(GOOD_PICTURE)),
        "sharpness": _share(fact.sharpness, _BLURRED, _SHARP),
    }
    if unlike is not None:
        parts["likeness"] = _share(unlike, 1.5 * usual, 0.5 * usual)
    stranger = baseline is not None and fact.reference in baseline.left_out
    return RankedReference(
        reference=fact.reference,
        place=was,
        was=was,
        score=_score(parts, fact, stranger=stranger),
        side=fact.side,
        turned=round(turned, 1),
        sharpness=fact.sharpness,
        unlike=None if unlike is None else round(unlike, 3),
        reasons=_reasons(fact, turned, unlike, stranger=stranger),
    )


def _share(value: float, worst: float, best: float) -> float:
    return min(1.0, max(0.0, (value - worst) / (best - worst)))


def _score(parts: Mapping[str, float], fact: ReferenceFacts, *, stranger: bool) -> float:
    total = sum(_WEIGHTS[name] for name in parts)
    score = sum(_WEIGHTS[name] * part for name, part in parts.items()) / total
    if fact.faces > 1:
        score *= _ONE_OF_SEVERAL
    # Below every picture of the character itself, and above what shows no face.
    return round(score / 100 if stranger else 0.01 + 0.99 * score, 4)


def _reasons(
    fact: ReferenceFacts, turned: float, unlike: float | None, *, stranger: bool
) -> tuple[str, ...]:
    reasons = [_size(fact.side), _pose(turned), _detail(fact.sharpness)]
    if fact.faces > 1:
        reasons.append(f"{fact.faces} faces, of which the largest was measured")
    if stranger:
        reasons.append("like none of the other pictures: probably another person")
    elif unlike is not None:
        reasons.append(f"distance to the others {unlike:.2f}")
    return tuple(reasons)


def _size(side: int) -> str:
    if side < SMALLEST_FACE:
        return f"the face has only {side} pixels"
    return f"the face has {side} pixels"


def _pose(turned: float) -> str:
    if turned <= VERY_GOOD:
        return "from the front"
    far = "turned away" if turned > ACCEPTABLE else "turned a little"
    return f"{far}, by {turned:.0f} degrees"


def _detail(sharpness: float) -> str:
    middle = (_BLURRED + _SHARP) / 2
    return "blurred" if sharpness <= _BLURRED else "soft" if sharpness < middle else "sharp"
