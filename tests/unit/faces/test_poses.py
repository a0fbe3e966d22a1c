"""What is said about turned faces, two faces that do not match, and unsure detections."""

import pytest

from storycanvas.faces.contract import DetectedFace
from storycanvas.faces.poses import pose_remarks

CAMERA = "The face in the base picture is turned away from the camera"
APART = "The faces in the base and target pictures look in different directions"

ONE_FACE = [
    # yaw, pitch -> warnings, notes
    ((0, 0), [], []),
    ((15, 0), [], []),
    ((-15, 0), [], []),
    ((16, 0), [], [f"{CAMERA}, by 16 degrees: acceptable"]),
    ((0, -30), [], [f"{CAMERA}, by 30 degrees: acceptable"]),
    ((31, 0), [f"{CAMERA}, by 31 degrees: marginal"], []),
    ((-45, 0), [f"{CAMERA}, by 45 degrees: marginal"], []),
    ((30, 30), [f"{CAMERA}, by 41 degrees: marginal"], []),
    ((0, 46), [f"{CAMERA}, by 46 degrees: poor, to be avoided"], []),
    ((90, 0), [f"{CAMERA}, by 90 degrees: poor, to be avoided"], []),
    ((None, None), [], []),
    ((None, 40), [], []),
]
TWO_FACES = [
    # base, target -> warnings, notes
    ((0, 0), (15, 0), [], []),
    ((80, 0), (70, 5), [], []),
    ((-10, 0), (10, 0), [], [f"{APART}, by 20 degrees: acceptable"]),
    ((0, 0), (40, 0), [f"{APART}, by 40 degrees: marginal"], []),
    ((-40, 0), (40, 0), [f"{APART}, by 80 degrees: poor, to be avoided"], []),
    ((60, 0), (None, None), [], []),
]


def face(yaw: float | None, pitch: float | None, score: float | None = None) -> DetectedFace:
    box = {"x": 1, "y": 2, "width": 300, "height": 400}
    return DetectedFace(**box, score=score, yaw=yaw, pitch=pitch, roll=90)


def begin_alike(told: tuple[str, ...], expected: list[str]) -> bool:
    return len(told) == len(expected) and all(
        text.startswith(begin) for text, begin in zip(told, expected, strict=True)
    )


@pytest.mark.parametrize(("angles", "warnings", "notes"), ONE_FACE)
def test_a_face_is_judged_by_its_angle_to_the_camera_and_not_by_its_roll(
    angles: tuple[float, float], warnings: list[str], notes: list[str]
) -> None:
    remarks = pose_remarks("base", {"base": face(*angles)})

    assert begin_alike(remarks.warnings, warnings), remarks
    assert begin_alike(remarks.notes, notes), remarks


@pytest.mark.parametrize(("base", "target", "warnings", "notes"), TWO_FACES)
def test_two_faces_are_judged_by_the_angle_between_them(
    base: tuple[float, float],
    target: tuple[float, float],
    warnings: list[str],
    notes: list[str],
) -> None:
    remarks = pose_remarks("base", {"base": face(*base), "target": face(*target)})

    assert begin_alike(remarks.warnings, warnings), remarks
    assert begin_alike(remarks.notes, notes), remarks


@pytest.mark.parametrize(
    ("score", "shown"), [(None, None), (0.7, None), (5.8, None), (0.699, "0.699"), (0.5, "0.5")]
)
def test_a_low_score_is_a_note_with_the_score(score: float | None, shown: str | None) -> None:
    remarks = pose_remarks("base", {"base": face(0, 0, score), "target": face(0, 0, 0.1)})

    assert [note.partition(" is ")[2].split(";")[0] for note in remarks.notes] == [
        *([shown] if shown else [])
    ]
    assert remarks.warnings == ()


def test_a_picture_without_a_face_has_no_remarks() -> None:
    assert pose_remarks("base", {"target": face(80, 0, 0.1)}).notes == ()
