"""Measuring the picture that a step made: its faces, and how like they are to those before."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from storycanvas.faces.likeness.reading import distance_between
from storycanvas.faces.measures.measure import (
    FaceMeasure,
    Likeness,
    LikenessMeter,
    PictureMeasure,
)
from storycanvas.faces.pictures.boxes import Box
from storycanvas.faces.results.meters import MeterName, Meters
from storycanvas.faces.results.seen_faces import SeenFace, SeenFaces, chosen_place, nearest

MAX_AGES = 8
"""Faces whose age is read, the largest of a picture: each takes milliseconds."""

_WHAT: dict[MeterName, str] = {
    "landmarks": "The faces were",
    "age": "The age was",
    "likeness": "The likeness was",
}

NO_FACE_BEFORE = (
    "The faces were not measured: none is found in the picture, and none in the one it was made "
    "of, which may be drawn, or show a face that is covered or turned away."
)
NOT_THERE = "The likeness was not measured: the changed face is not found in the picture."
NOT_BEFORE = "The likeness was not measured: the face is not found in the picture to compare with."


@dataclass(frozen=True)
class Comparison:
    """What the faces of a new picture are compared with.

    Attributes:
        before: Finds the faces of the picture that the step changed.
        source: Finds those of a swap's source; None for other steps.
    """

    before: Callable[[], SeenFaces]
    source: Callable[[], SeenFaces] | None = None

    @property
    def compared_with(self) -> Literal["source", "input"]:
        """What likeness is measured to."""
        return "input" if self.source is None else "source"


def measure_picture(
    faces: SeenFaces,
    selected: Sequence[Box],
    comparison: Comparison,
    meters: Meters,
    known: Likeness | None = None,
) -> PictureMeasure:
    """Measure a picture.

    Args:
        faces: Those that were found in it.
        selected: Boxes of the faces that the step worked on; none where that is not known.
        comparison: The pictures before.
        meters: What there is to measure with, landmarks among it.
        known: The likeness that the host measured; then none is measured here.
    """
    if not faces and not comparison.before():
        return PictureMeasure(likeness=known, meters=meters.names, not_measured=(NO_FACE_BEFORE,))
    chosen = chosen_place(faces, selected)
    likeness, reason = known, None
    if known is None:
        likeness, reason = _likeness(faces, chosen, comparison, meters)
    return PictureMeasure(
        faces=tuple(_measured(faces, meters)),
        chosen=chosen,
        likeness=likeness,
        meters=meters.names,
        not_measured=tuple(_reasons(faces, chosen, meters, reason)),
    )


def unmeasured(meters: Meters, known: Likeness | None = None) -> PictureMeasure:
    """Tell why a picture is not measured where nothing finds its faces."""
    return PictureMeasure(
        likeness=known, meters=meters.names, not_measured=(_missing(meters, "landmarks"),)
    )


def _missing(meters: Meters, name: MeterName) -> str:
    return f"{_WHAT[name]} not measured: {meters.missing.get(name, 'nothing measures it here')}."


def _measured(faces: SeenFaces, meters: Meters) -> Iterator[FaceMeasure]:
    for place, seen in enumerate(faces):
        face = seen.cut.face
        reads = meters.age is not None and place < MAX_AGES and seen.doubt is None
        age = meters.age.read(seen.cut.rgb, face) if meters.age is not None and reads else None
        yield FaceMeasure(
            box=seen.box,
            fit=round(face.fit, 3),
            yaw=round(face.yaw, 1),
            pitch=round(face.pitch, 1),
            roll=round(face.roll, 1),
            age=None if age is None else round(age, 1),
        )


def _reasons(
    faces: SeenFaces, chosen: int | None, meters: Meters, likeness: str | None
) -> Iterator[str]:
    """Tell why something of the changed face, or of the largest, is not measured."""
    if meters.age is None:
        yield _missing(meters, "age")
    elif faces and (reason := faces[chosen or 0].doubt) is not None:
        yield f"The age was not measured: {reason}."
    if likeness is not None:
        yield likeness


def _likeness(
    faces: SeenFaces, chosen: int | None, comparison: Comparison, meters: Meters
) -> tuple[Likeness | None, str | None]:
    """Measure the likeness, or tell why it is not measured."""
    if meters.likeness is None:
        return None, _missing(meters, "likeness")
    if chosen is None:
        return None, NOT_THERE
    before = comparison.before()
    place = nearest(faces[chosen].box, before)
    face_before = None if place is None else before[place]
    sources = comparison.source() if comparison.source else ()
    reference = sources[0] if sources else face_before
    if reference is None or (comparison.source and not sources):
        return None, NOT_BEFORE
    for seen in (reference, faces[chosen]):
        if (reason := seen.doubt) is not None:
            return None, f"The likeness was not measured: {reason}."
    was = None
    if comparison.source is not None and face_before is not None:
        was = distance(meters.likeness, reference, face_before)
    return Likeness(
        compared_with=comparison.compared_with,
        before=was,
        after=distance(meters.likeness, reference, faces[chosen]),
        others=_others(meters.likeness, before, faces, chosen),
        scale=meters.likeness.scale,
    ), None


def distance(meter: LikenessMeter, reference: SeenFace, face: SeenFace) -> float:
    """Measure how unlike two faces are; 0 is the same."""
    return round(distance_between(meter, reference.cut, face.cut), 4)


def _others(meter: LikenessMeter, before: SeenFaces, after: SeenFaces, chosen: int) -> float | None:
    """Measure how far the faces that were not chosen are from themselves; the largest counts."""
    found = []
    for place, face in enumerate(after[:MAX_AGES]):
        was = None if place == chosen else nearest(face.box, before)
        if was is not None and face.doubt is None and before[was].doubt is None:
            found.append(distance(meter, before[was], face))
    return max(found, default=None)
