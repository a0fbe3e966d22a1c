"""What is noted of a step: whether a swapped face fits in, and whether enhancing suits a face."""

from collections.abc import Sequence
from functools import reduce
from operator import add

from storycanvas.faces.measures.measure import Findings
from storycanvas.faces.measures.notes.blending import (
    colour_difference,
    colour_findings,
    sharpness_findings,
    skin_colour,
)
from storycanvas.faces.measures.notes.kinds import DRAWN, drawn_findings, sharp_findings
from storycanvas.faces.measures.notes.light import light_findings, light_of
from storycanvas.faces.measures.notes.sharpness import relative_sharpness
from storycanvas.faces.operations import EnhanceOperation, FaceOperation
from storycanvas.faces.pictures.boxes import Box
from storycanvas.faces.pictures.sizes import SMALLEST_FACE
from storycanvas.faces.results.picture_measure import Comparison
from storycanvas.faces.results.seen_faces import SeenFace, SeenFaces, nearest

_LARGE = 2 * SMALLEST_FACE
"""Pixels of a face's shorter side below which landmarks miss it in a large photograph, too."""

SWAP_NOT_SEEN = (
    "Light, colour and sharpness of the swap were not compared: one of its faces is not found."
)


def step_findings(
    operation: FaceOperation,
    selected: Sequence[Box],
    comparison: Comparison,
    made: SeenFace | None,
) -> Findings:
    """Note what a person should know about a swap or an enhancement; nothing of other steps.

    Args:
        operation: What the step did.
        selected: Boxes of the faces that it worked on; none where that is not known.
        comparison: The pictures before.
        made: The face that it changed, in the new picture; None where it is not found.
    """
    if comparison.source is not None:
        (source, *_) = (*comparison.source(), None)
        place = None if made is None else nearest(made.box, comparison.before())
        before = None if place is None else comparison.before()[place]
        return swap_findings(source, before, made)
    if isinstance(operation, EnhanceOperation):
        return enhancement_findings(selected, comparison.before())
    return Findings()


def swap_findings(
    source: SeenFace | None, before: SeenFace | None, made: SeenFace | None
) -> Findings:
    """Note where source and target differ in light, and where the new face does not fit.

    Args:
        source: The face that was brought over.
        before: The face that was there before.
        made: The face that is there now.
    """
    if source is None or before is None or made is None:
        return Findings(not_measured=(SWAP_NOT_SEEN,))
    was, new = (before.cut.rgb, before.cut.face), (made.cut.rgb, made.cut.face)
    skin = skin_colour(*was)
    return (
        light_findings(light_of(source.cut.rgb, source.cut.face), light_of(*was))
        + colour_findings(None if skin is None else colour_difference(*new, skin))
        + sharpness_findings(relative_sharpness(*new), relative_sharpness(*was))
    )


def enhancement_findings(selected: Sequence[Box], before: SeenFaces) -> Findings:
    """Note where a face is sharp already, and where one may be drawn.

    Args:
        selected: Boxes of the faces that are enhanced, by the engine's detector; all where that is
            not known.
        before: Faces of the picture to which landmarks fit.
    """
    boxes = selected or [seen.box for seen in before]
    found = [_enhancement_findings(box, before) for box in boxes]
    joined = reduce(add, found, Findings())
    return Findings(tuple(dict.fromkeys(joined.notes)), tuple(dict.fromkeys(joined.not_measured)))


def _enhancement_findings(box: Box, before: SeenFaces) -> Findings:
    place = nearest(box, before)
    if place is None:
        return Findings(notes=(DRAWN,)) if min(box[2:]) >= _LARGE else Findings()
    seen = before[place]
    drawn = drawn_findings(seen.cut.rgb, seen.cut.face)
    if drawn.notes:
        return drawn
    return sharp_findings(seen.cut.fine_sharpness, min(seen.box[2:]))
