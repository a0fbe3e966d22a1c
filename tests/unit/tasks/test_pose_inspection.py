"""Which face of a picture the remarks on angles and scores are about."""

from datetime import UTC, datetime
from typing import Any

from db.schema.documents.faces import OperationRecord
from tasks.faces.inspection import Inspection, with_pose_remarks

BOX = {"x": 1, "y": 2, "width": 300, "height": 400, "estimated_age": None}
FRONT = BOX | {"score": 0.9, "yaw": 2.0, "pitch": 1.0, "roll": 0.0}
ASIDE = BOX | {"score": 0.62, "yaw": 40.0, "pitch": 1.0, "roll": 0.0}
OF_AN_OLDER_HOST = BOX | {"score": 0.9}


def detection(*faces: dict[str, Any], selected: dict[str, Any] | None) -> OperationRecord:
    return OperationRecord(
        _id="key",
        key_version=1,
        operation_type="detect",
        parameters={},
        inputs=["0" * 64],
        engine="facefusion",
        engine_version="3.8.1",
        host="http://127.0.0.1:9002",
        faces=list(faces),
        selected_faces=None if selected is None else [selected],
        processing_time_seconds=0.1,
        created_at=datetime(2026, 11, 1, tzinfo=UTC),
    )


def test_in_a_group_the_face_that_is_worked_on_counts() -> None:
    records = {"base": detection(FRONT, ASIDE, selected=ASIDE)}

    found = with_pose_remarks(Inspection(notes=("first",)), records, "base")

    assert len(found.warnings) == 1
    assert "by 40 degrees" in found.warnings[0]
    assert found.notes[0] == "first"
    assert "0.62" in found.notes[1]


def test_without_a_selection_the_first_face_counts() -> None:
    found = with_pose_remarks(
        Inspection(), {"base": detection(FRONT, ASIDE, selected=None)}, "base"
    )

    assert (found.warnings, found.notes) == ((), ())


def test_a_host_without_angles_has_no_remarks() -> None:
    records = {
        "base": detection(OF_AN_OLDER_HOST, selected=None),
        "target": detection(ASIDE, selected=ASIDE),
        "missing": None,
    }

    found = with_pose_remarks(Inspection(), records, "base")

    assert (found.warnings, found.notes) == ((), ())
