"""What lines enclose: the regions of a drawing, and which of them are inside."""

from collections import Counter

import cv2
import numpy as np
from numpy.typing import NDArray

from storycanvas.host.engines.facefusion.drawn_lines import Flags

Labels = NDArray[np.int32]

_OUTSIDE = 1


def enclosed(lines: Flags, thickness: int) -> Flags:
    """Fill outlines.

    A region behind one line is inside, one behind two is a hole, and so on. A region that several
    inside regions border on is where outlines overlap, and inside too. Outlines along the edge of
    the picture are closed by it.

    Args:
        lines: Pixels of the lines.
        thickness: Of a line, pixels.

    Returns:
        What lies inside, lines up to their middle included; nothing if nothing is enclosed.
    """
    free = np.pad(~lines, 1, constant_values=True)
    _, found = cv2.connectedComponents(free.astype(np.uint8), connectivity=4)
    regions = np.asarray(found, np.int32)
    inside = _inside(_neighbours(regions, 2 * thickness), int(regions[0, 0]))
    white = np.isin(regions, list(inside))[1:-1, 1:-1]
    if not white.any():
        return white
    return _distance(white) <= _distance(~white & ~lines)


def _distance(goal: Flags) -> NDArray[np.float32]:
    """Give each pixel's distance to the nearest one of a goal, in pixels."""
    if not goal.any():
        return np.full(goal.shape, np.inf, np.float32)
    far = cv2.distanceTransform((~goal).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(far, np.float32)


def _neighbours(regions: Labels, shortest: int) -> dict[int, set[int]]:
    """Tell which regions share a border longer than a crossing of two lines makes."""
    grown = _grown(regions)
    borders: Counter[tuple[int, int]] = Counter()
    for one, other in ((grown[:-1], grown[1:]), (grown[:, :-1], grown[:, 1:])):
        differ = one != other
        pairs = np.sort(np.stack((one[differ], other[differ]), axis=1), axis=1)
        kinds, counts = np.unique(pairs, axis=0, return_counts=True)
        for (first, second), count in zip(kinds.tolist(), counts.tolist(), strict=True):
            borders[first, second] += count
    found: dict[int, set[int]] = {}
    for (first, second), length in borders.items():
        if length > shortest:
            found.setdefault(first, set()).add(second)
            found.setdefault(second, set()).add(first)
    return found


def _grown(regions: Labels) -> Labels:
    """Share the lines among the regions: each pixel goes to the nearest."""
    on_line = (regions == 0).astype(np.uint8)
    _, nearest = cv2.distanceTransformWithLabels(
        on_line, cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    indices = np.asarray(nearest, np.int32)
    of_index = np.zeros(int(indices.max()) + 1, np.int32)
    of_index[indices[on_line == 0]] = regions[on_line == 0]
    return of_index[indices]


def _inside(neighbours: dict[int, set[int]], outside: int) -> set[int]:
    inside: set[int] = set()
    known, ring = {outside}, {outside}
    while ring:
        following = set().union(*(neighbours.get(region, set()) for region in ring)) - known
        for region in following:
            nearer = neighbours[region] & known
            if nearer - inside or len(nearer) > 1:
                inside.add(region)
        known, ring = known | following, following
    return inside
