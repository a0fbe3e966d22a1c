"""What a person should know about the swaps that were decided."""

from collections.abc import Mapping, Sequence
from itertools import combinations

from storycanvas.couple.found_faces import source_face
from storycanvas.couple.placing import Placement
from storycanvas.couple.written_faces import Person
from storycanvas.faces.contract import DetectedFace
from storycanvas.faces.pictures.boxes import box_of, common_area
from storycanvas.faces.pictures.sizes import Remarks, face_size_warnings
from storycanvas.faces.poses import pose_remarks
from storycanvas.faces.recipes.pipeline import SeenPicture

MUCH_IN_COMMON = 0.1
"""Share of the smaller box from which on a swap may change the other face, too."""


def placement_remarks(
    placed: Sequence[Placement],
    detected: Sequence[DetectedFace],
    photos: Mapping[Person, SeenPicture],
) -> Remarks:
    """Say who goes where, and which faces are small, turned, or overlap.

    Args:
        placed: The swaps.
        detected: All faces of the template, from the left.
        photos: The persons' pictures.
    """
    about: dict[str, str] = {}
    notes = [_where(placement, detected) for placement in placed]
    for placement in placed:
        name = str(placement.person)
        face = source_face(photos[placement.person].faces, placement.source_face_index)
        poses = pose_remarks(name, {name: face, "template": placement.target})
        sizes = face_size_warnings(name, (face.width, face.height))
        about |= dict.fromkeys((*sizes, *poses.warnings), name)
        notes += poses.notes
    overlaps = overlap_remarks([placement.target for placement in placed], detected)
    notes += overlaps.notes
    warnings = tuple(dict.fromkeys((*about, *overlaps.warnings)))
    return Remarks(warnings, tuple(dict.fromkeys(notes)), about)


def _where(placement: Placement, detected: Sequence[DetectedFace]) -> str:
    face = placement.target
    return (
        f"The {placement.person} goes onto face {detected.index(face)} of {len(detected)} from the "
        f"left, {face.width} x {face.height} pixels at {face.x}, {face.y}."
    )


def overlap_remarks(swapped: Sequence[DetectedFace], detected: Sequence[DetectedFace]) -> Remarks:
    """Name boxes that have pixels in common with one that is swapped.

    Args:
        swapped: The faces that are changed.
        detected: All faces of the template, from the left.
    """
    warnings, notes = [], []
    for (one, first), (two, second) in combinations(enumerate(detected), 2):
        if first not in swapped and second not in swapped:
            continue
        share = common_share(first, second)
        if share == 0:
            continue
        sentence = (
            f"The boxes of the faces {one} and {two} of the template overlap: {share:.0%} of the "
            "smaller one."
        )
        if share > MUCH_IN_COMMON:
            warnings.append(f"{sentence} A swap may change the other face, too.")
        else:
            notes.append(sentence)
    return Remarks(tuple(warnings), tuple(notes))


def common_share(first: DetectedFace, second: DetectedFace) -> float:
    """Return the share of the smaller of two boxes that both have, 0 to 1."""
    smaller = min(first.width * first.height, second.width * second.height)
    return common_area(box_of(first), box_of(second)) / smaller
