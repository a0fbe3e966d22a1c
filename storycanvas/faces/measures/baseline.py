"""How unlike a character's own pictures are: what a distance to that character means.

One bound for all characters is too wide for a face whose pictures are alike and too narrow for one
that was painted in many styles, so it is set by the reference images of each.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median, quantiles

from storycanvas.faces.measures.measure import SAME_BELOW, LikenessScale

Distances = Mapping[tuple[str, str], float]
"""The distance of two pictures by their names, each pair once and in any order."""

MIN_REFERENCES = 3
"""Fewer tell nothing of how far the pictures of one person lie apart."""

_MARGIN = 1.1
"""A new picture differs a little more than those that are there."""
_NARROWEST, _WIDEST = 0.75, 1.1
"""Shares of the usual bound: three crops of one photo, or pictures in many styles."""


@dataclass(frozen=True)
class Baseline:
    """How far the pictures of one character lie apart.

    Attributes:
        scale: Whose distances they are.
        references: The pictures that it was made of, by name.
        left_out: The others, by name: probably of another person.
        typical: Median of the distances between the references.
        same_below: A face nearer than this to a reference shows the character.
    """

    scale: LikenessScale
    references: tuple[str, ...]
    left_out: tuple[str, ...]
    typical: float
    same_below: float


def character_baseline(distances: Distances, scale: LikenessScale) -> Baseline | None:
    """Set the bounds of a character by the distances between its reference images.

    The largest group of pictures that are alike counts, by the usual bound of the scale; what is
    not in it is left out, since one picture of another person would let every face pass.

    Args:
        distances: Of all pairs; a pair that was not measured may be missing.
        scale: Whose distances they are.

    Returns:
        None where fewer than `MIN_REFERENCES` pictures are alike.
    """
    usual = SAME_BELOW[scale]
    kept = _largest_group(distances, usual)
    if len(kept) < MIN_REFERENCES:
        return None
    among = [value for pair, value in distances.items() if set(pair) <= kept]
    bound = min(max(_MARGIN * _high(among), _NARROWEST * usual), _WIDEST * usual)
    names = [*nearest_distances(distances)]
    used = tuple(name for name in names if name in kept)
    left_out = tuple(name for name in names if name not in kept)
    return Baseline(scale, used, left_out, round(median(among), 4), round(bound, 4))


def _largest_group(distances: Distances, below: float) -> frozenset[str]:
    """Find the largest group of pictures of which each is like another one of it."""
    groups: set[frozenset[str]] = set()
    for pair in (pair for pair, distance in distances.items() if distance < below):
        joined = {group for group in groups if group & set(pair)}
        groups = (groups - joined) | {frozenset(pair).union(*joined)}
    return max(groups, key=len, default=frozenset())


def nearest_distances(distances: Distances) -> dict[str, float]:
    """Find the distance of each picture to the one that is most like it, by name."""
    nearest: dict[str, float] = {}
    for pair, distance in distances.items():
        for name in pair:
            nearest[name] = min(distance, nearest.get(name, distance))
    return nearest


def median_distances(distances: Distances) -> dict[str, float]:
    """Find the median of the distances of each picture to the others, by name."""
    names = nearest_distances(distances)
    return {
        name: median(value for pair, value in distances.items() if name in pair) for name in names
    }


def _high(values: Sequence[float]) -> float:
    """Return the 95th percentile: of few values nearly the largest, of many no single one."""
    return quantiles(values, n=20, method="inclusive")[-1]
