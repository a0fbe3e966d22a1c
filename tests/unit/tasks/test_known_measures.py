"""When what the ledger has of a picture is enough, and what of it outlives a new measure."""

from datetime import UTC, datetime
from typing import Any, get_args

import pytest

from db.schema.documents.faces import OperationRecord
from storycanvas.faces.measures.measure import (
    MEASURE_VERSION,
    Likeness,
    LikenessScale,
    PictureMeasure,
)
from storycanvas.faces.results.meters import MeterName, Meters, installed_meters
from tasks.faces.measuring.measuring import (
    is_current,
    kept_likeness,
    known_measure,
    with_reason_of_host,
)

ALL = get_args(MeterName)


def record(measure: dict[str, Any] | None) -> OperationRecord:
    return OperationRecord(
        operation_key="0" * 64,
        key_version=1,
        operation_type="enhance",
        parameters={},
        inputs=["1" * 64],
        engine="preview",
        engine_version="1",
        host="http://127.0.0.1:1",
        processing_time_seconds=0.1,
        created_at=datetime.now(UTC),
        measure=measure,
    )


@pytest.mark.parametrize("stored", [None, {"version": "x"}, {"invented": 1}, {"faces": 7}])
def test_what_cannot_be_read_counts_as_not_measured(stored: dict[str, Any] | None) -> None:
    assert known_measure(record(stored)) is None


def test_a_measure_is_read_as_it_was_stored() -> None:
    measure = PictureMeasure(faces=(), meters=("landmarks",), notes=("a note",))

    assert known_measure(record(measure.model_dump(mode="json"))) == measure


@pytest.mark.parametrize(
    ("version", "meters", "enough"),
    [
        (MEASURE_VERSION, ALL, True),
        (MEASURE_VERSION + 1, ALL, True),
        (MEASURE_VERSION - 1, ALL, False),
        (MEASURE_VERSION, (), False),
    ],
)
def test_a_picture_is_measured_anew_by_a_newer_version_or_by_more_meters(
    version: int, meters: tuple[str, ...], enough: bool
) -> None:
    known = PictureMeasure(version=version, meters=meters)

    assert is_current(known, installed_meters()) is enough


def test_a_meter_that_went_away_takes_no_measure_with_it() -> None:
    assert is_current(PictureMeasure(meters=ALL), Meters())


@pytest.mark.parametrize(("scale", "is_kept"), [("facefusion", True), ("dlib", False)])
def test_only_the_likeness_of_a_host_outlives_a_new_measure(
    scale: LikenessScale, is_kept: bool
) -> None:
    likeness = Likeness(compared_with="input", after=0.1, scale=scale)
    known = PictureMeasure(version=0, likeness=likeness)

    assert kept_likeness(known) == (likeness if is_kept else None)
    assert kept_likeness(None) is None


def test_why_a_host_did_not_measure_likeness_is_told_as_long_as_nothing_else_has() -> None:
    of_host = PictureMeasure(version=0, not_measured=("The process ended.",))
    likeness = Likeness(compared_with="input", after=0.1, scale="dlib")

    told = with_reason_of_host(PictureMeasure(not_measured=("No dlib.",)), of_host)
    assert told.not_measured == ("The process ended.", "No dlib.")
    assert with_reason_of_host(PictureMeasure(likeness=likeness), of_host).not_measured == ()
    assert with_reason_of_host(PictureMeasure(), None).not_measured == ()
