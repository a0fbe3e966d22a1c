"""Which faces of a picture an operation works on, and in which order they count."""

from collections.abc import Callable

from faces.operations import FaceOperation, FaceSelectorMode, FaceSelectorOrder
from host.engines.preview.frame import Face

_RANKS: dict[FaceSelectorOrder, Callable[[Face], float]] = {
    FaceSelectorOrder.LEFT_RIGHT: lambda face: face.box[0],
    FaceSelectorOrder.RIGHT_LEFT: lambda face: -face.box[0] - face.box[2],
    FaceSelectorOrder.TOP_BOTTOM: lambda face: face.box[1],
    FaceSelectorOrder.BOTTOM_TOP: lambda face: -face.box[1] - face.box[3],
    FaceSelectorOrder.SMALL_LARGE: lambda face: face.box[2] * face.box[3],
    FaceSelectorOrder.LARGE_SMALL: lambda face: -face.box[2] * face.box[3],
    FaceSelectorOrder.BEST_WORST: lambda face: -face.score,
    FaceSelectorOrder.WORST_BEST: lambda face: face.score,
}


def in_order(faces: list[Face], order: FaceSelectorOrder) -> list[Face]:
    """Sort faces by a selector order; ties go to the leftmost, then the topmost."""
    return sorted(faces, key=lambda face: (_RANKS[order](face), face.box))


def selected(faces: list[Face], operation: FaceOperation) -> list[Face]:
    """Choose the faces to work on out of those in selector order.

    `many` and `all` mean all of them, `one` the first. `reference` means the first as well: this
    engine cannot tell people apart, and one face too few is safer than one too many.
    """
    if operation.face_selector_mode in {FaceSelectorMode.MANY, FaceSelectorMode.ALL}:
        return faces
    return faces[:1]
