"""The report's lists, whatever the database holds."""

import gzip
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import pytest
from bson.int64 import Int64

from storycanvas.catalog.reporting.files import as_kept, read_kept
from storycanvas.catalog.reporting.frames import (
    MAX_PLACES,
    NOTICED_LATE,
    by_type_and_base,
    changed,
    changed_since,
    duplicates,
    gone_since,
    new_since,
    unmatched,
)
from storycanvas.catalog.reporting.models_frame import COLUMNS, MAX_BYTES, models_frame
from storycanvas.catalog.reporting.summary import catalog_lists, catalog_report

NIGHT = datetime(2026, 3, 1, 2, tzinfo=UTC)
SECOND = timedelta(seconds=1)
HASH = "A" * 64


def model(path: str, backend: str = "b1", **more: Any) -> dict[str, Any]:
    folder, _, name = path.partition("/")
    return {
        "id": f"{backend}/{path}",
        "backend_id": backend,
        "model_id": path,
        "folder": folder,
        "model_name": name,
        "model_type": folder.removesuffix("s"),
        "is_active": True,
        **more,
    }


def ids(frame: pd.DataFrame) -> list[str]:
    return list(frame["id"])


def test_new_is_what_was_first_seen_since_then_and_is_there() -> None:
    frame = models_frame(
        [
            model("loras/old.pt", first_seen=NIGHT - SECOND),
            model("loras/new.pt", first_seen=NIGHT),
            model("loras/newer.pt", first_seen=NIGHT + SECOND),
            model("loras/gone.pt", first_seen=NIGHT, is_active=False),
            model("loras/unknown.pt"),
        ]
    )

    assert ids(new_since(frame, NIGHT)) == ["b1/loras/newer.pt", "b1/loras/new.pt"]


@pytest.mark.parametrize(
    ("fields", "listed"),
    [
        ({"is_active": False, "gone_at": NIGHT}, True),
        ({"is_active": False, "gone_at": NIGHT - SECOND, "last_seen": NIGHT}, False),
        ({"is_active": False, "last_seen": NIGHT - NOTICED_LATE}, True),
        ({"is_active": False, "last_seen": NIGHT - NOTICED_LATE - SECOND}, False),
        ({"is_active": False}, False),
        ({"is_active": True, "last_seen": NIGHT}, False),
    ],
    ids=["known", "before", "seen in the night before", "seen earlier", "unknown", "there"],
)
def test_gone_is_what_vanished_since_then(fields: dict[str, Any], listed: bool) -> None:
    assert bool(ids(gone_since(models_frame([model("loras/a.pt", **fields)]), NIGHT))) is listed


@pytest.mark.parametrize(("moment", "listed"), [(NIGHT, True), (NIGHT - SECOND, False)])
def test_changed_is_what_a_server_reports_anew(moment: datetime, listed: bool) -> None:
    frame = models_frame([model("loras/a.pt", changed_at=moment)])

    assert bool(ids(changed_since(frame, NIGHT))) is listed


def test_two_tables_are_compared_value_by_value() -> None:
    before = [
        model("loras/a.pt", size=1, sha256=None),
        model("loras/b.pt", size=None),
        model("loras/same.pt", size=3, sha256=HASH),
        model("loras/gone.pt"),
        model("loras/going.pt", size=3),
        model("loras/back.pt", is_active=False),
        model("loras/linked.pt", civitai_version_id=1),
    ]
    after = [
        model("loras/a.pt", size=2, sha256=HASH),
        model("loras/b.pt", size=5),
        model("loras/same.pt", size=3, sha256=HASH),
        model("loras/new.pt"),
        model("loras/going.pt", size=4, is_active=False),
        model("loras/back.pt"),
        model("loras/linked.pt", civitai_version_id=2),
    ]

    found = changed(models_frame(before), models_frame(after)).astype(object)

    assert found.where(found.notna(), None).to_numpy().tolist() == [
        ["b1/loras/a.pt", "sha256", None, HASH],
        ["b1/loras/a.pt", "size", 1, 2],
        ["b1/loras/b.pt", "size", None, 5],
        ["b1/loras/back.pt", "is_active", False, True],
        ["b1/loras/linked.pt", "civitai_version_id", "1", "2"],
    ]


def test_a_version_whose_number_is_stored_in_64_bits_is_read() -> None:
    [found] = models_frame([model("loras/a.pt", civitai_version_id=Int64(7))])["civitai_version_id"]

    assert found == "7"


def test_what_was_kept_of_a_report_is_compared_with_a_later_one() -> None:
    rows = [
        model("loras/a.pt", size=2**40, sha256=HASH, base_model="SDXL 1.0"),
        model('loras/夏\n"1e5".pt', civitai_model_id="007", match_quality="manual"),
        model("loras/gone.pt", is_active=False),
    ]
    then, now = models_frame(rows), models_frame([{**rows[0], "base_model": "Pony"}, *rows[1:]])

    lists = catalog_lists(now, NIGHT, read_kept(as_kept(then)))
    report = catalog_report(now, lists, NIGHT, compared_with=NIGHT)

    assert report.changed_models == 1
    assert report.changed.rows == (
        {"id": "b1/loras/a.pt", "column": "base_model", "before": "SDXL 1.0", "after": "Pony"},
    )


def test_a_model_that_is_back_is_shown_as_false_and_true() -> None:
    then, now = (models_frame([model("loras/a.pt", is_active=active)]) for active in (False, True))

    report = catalog_report(now, catalog_lists(now, NIGHT, then), NIGHT)

    [row] = report.changed.rows
    assert repr((row["before"], row["after"])) == "(False, True)"


def test_the_same_models_are_kept_as_the_same_bytes() -> None:
    rows = [model("loras/a.pt", size=5, last_seen=NIGHT), model("loras/b.pt")]
    later = [rows[0] | {"last_seen": NIGHT + SECOND}, rows[1]]

    assert as_kept(models_frame(rows)) == as_kept(models_frame(later))


@pytest.mark.parametrize(
    "data",
    [b"", b"<html>", as_kept(models_frame([]))[:-9], gzip.compress(b"{"), gzip.compress(b"\xff")],
    ids=["nothing", "no gzip", "cut", "no JSON", "no text"],
)
def test_what_is_no_kept_report_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="not kept models"):
        read_kept(data)


def test_unmatched_lists_a_model_once_those_on_most_servers_first() -> None:
    frame = models_frame(
        [
            model("loras/a.pt"),
            model("loras/b.pt"),
            model("loras/b.pt", "b2"),
            model("loras/gone.pt", is_active=False),
            model("loras/linked.pt", match_quality="exact_hash"),
            model("loras/linked.pt", "b2"),
        ]
    )

    found = unmatched(frame)

    assert found[["model_id", "servers"]].to_numpy().tolist() == [
        ["loras/b.pt", 2],
        ["loras/a.pt", 1],
    ]


def test_models_are_counted_once_by_type_and_base_model() -> None:
    frame = models_frame(
        [
            model("loras/a.pt", base_model="SDXL 1.0"),
            model("loras/a.pt", "b2"),
            model("loras/b.pt", base_model="Pony"),
            model("loras/c.pt", base_model="SDXL 1.0"),
            model("vae/d.pt", model_type=None),
            model("loras/gone.pt", is_active=False),
        ]
    )

    assert by_type_and_base(frame).to_numpy().tolist() == [
        ["lora", "SDXL 1.0", 2],
        ["lora", "Pony", 1],
        ["unknown", "unknown", 1],
    ]


@pytest.mark.parametrize(
    ("first", "second", "known_by"),
    [
        ({"sha256": HASH, "size": 7}, {"sha256": HASH, "size": 7}, "sha256"),
        ({"blake3": HASH, "size": 7}, {"blake3": HASH}, "blake3"),
        ({"sha256": HASH, "blake3": HASH, "size": 7}, {"blake3": HASH}, "sha256"),
        ({"size": 7}, {"size": 7}, "name and size"),
        ({"sha256": HASH, "size": 7}, {"size": 7}, "sha256"),
    ],
    ids=["SHA256", "BLAKE3", "BLAKE3 leads to SHA256", "name and size", "one without a hash"],
)
def test_the_same_file_on_two_servers_is_a_duplicate(
    first: dict[str, Any], second: dict[str, Any], known_by: str
) -> None:
    frame = models_frame([model("loras/A.pt", **first), model("loras/sub/a.pt", "b2", **second)])

    [found] = duplicates(frame).to_dict("records")

    assert found == {
        "model_name": "A.pt",
        "known_by": known_by,
        "copies": 2,
        "servers": 2,
        "size": 7,
        "bytes_freeable": 7,
        "places": "b1: loras/A.pt; b2: loras/sub/a.pt",
    }


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (model("loras/a.pt", size=7), model("loras/a.pt", "b2", size=8)),
        (model("loras/a.pt", size=7), model("loras/b.pt", size=7)),
        (model("loras/a.pt"), model("loras/a.pt", "b2")),
        (model("loras/a.pt", size=7, sha256=HASH), model("loras/a.pt", "b2", size=7, sha256="B")),
        (model("loras/a.pt", size=7), model("loras/a.pt", "b2", size=7, is_active=False)),
    ],
    ids=["other size", "other name", "no size", "other hash", "gone"],
)
def test_what_may_be_another_file_is_no_duplicate(
    first: dict[str, Any], second: dict[str, Any]
) -> None:
    assert duplicates(models_frame([first, second])).empty


def test_a_file_without_a_hash_that_may_be_either_of_two_is_neither() -> None:
    frame = models_frame(
        [
            model("loras/a.pt", "b1", size=7, sha256="A" * 64),
            model("loras/a.pt", "b2", size=7, sha256="B" * 64),
            model("loras/a.pt", "b3", size=7),
        ]
    )

    assert duplicates(frame).empty


def test_what_frees_most_bytes_comes_first_and_unknown_sizes_last() -> None:
    frame = models_frame(
        [model(f"loras/{i}", size=5, sha256="a") for i in range(3)]
        + [model(f"vae/{i}", size=8, sha256="b") for i in range(2)]
        + [model(f"unet/{i}", sha256="c") for i in range(2)]
    )

    found = duplicates(frame)

    assert found["copies"].tolist() == [3, 2, 2]
    assert found["bytes_freeable"].tolist() == [10, 8, pd.NA]


def test_only_the_first_places_are_named() -> None:
    [places] = duplicates(models_frame([model(f"loras/{i:03}", sha256="a") for i in range(50)]))[
        "places"
    ]

    assert places.count("; ") == MAX_PLACES
    assert places.endswith("; and 30 more")


@pytest.mark.parametrize(
    ("value", "size"),
    [
        (0, 0),
        (7.9, 7),
        (MAX_BYTES, MAX_BYTES),
        (MAX_BYTES + 1, None),
        (2**64, None),
        (-1, None),
        (float("nan"), None),
        (float("inf"), None),
        (True, None),
        ("7", None),
        (None, None),
        ([7], None),
    ],
    ids=str,
)
def test_a_size_that_no_file_has_is_unknown(value: object, size: int | None) -> None:
    [found] = models_frame([model("loras/a.pt", size=value)])["size"]

    assert (None if pd.isna(found) else found) == size


def every(value: object) -> dict[str, Any]:
    return dict.fromkeys(COLUMNS[1:], value)


GONE = {"is_active": False}
HOSTILE: dict[str, dict[str, Any]] = {
    "nothing": {},
    "no id": {"id": None},
    "a number as id": {"id": 5, "size": 2**70},
    "an id only": {"id": "x"},
    "lists": {"id": "x", **every([])},
    "objects": {"id": "x", **every({"a": 1})},
    "numbers beyond int64": {"id": "x", **every(2**70)},
    "the first year": {"id": "x", "first_seen": datetime(1, 1, 1), "last_seen": "today"},  # noqa: DTZ001  # no zone
    "the last year": {"id": "x", "last_seen": datetime(9999, 12, 31, tzinfo=UTC), **GONE},
}


@pytest.mark.parametrize(
    "rows",
    [*([row] for row in HOSTILE.values()), [*HOSTILE.values()], []],
    ids=[*HOSTILE, "all of them", "no row"],
)
def test_no_row_breaks_the_report(rows: list[dict[str, Any]]) -> None:
    frame = models_frame(rows)

    report = catalog_report(frame, catalog_lists(frame, NIGHT), NIGHT)

    assert tuple(frame.columns) == COLUMNS
    assert report.model_dump_json()
    assert report.summary()


def test_copies_of_unknown_size_are_not_shown_as_nothing_to_free() -> None:
    rows = [
        model(path, backend, sha256=path, size=size)
        for path, size in (("loras/a.pt", 5 * 10**9), ("loras/b.pt", None))
        for backend in ("b1", "b2")
    ]
    frame = models_frame(rows)

    report = catalog_report(frame, catalog_lists(frame, NIGHT), NIGHT)

    assert (report.bytes_freeable, report.unsized) == (5 * 10**9, 1)
    assert "takes 5.0 GB, and what 1 of unknown size take, more than once" in report.summary()


def test_the_report_counts_all_and_carries_the_first_rows() -> None:
    rows = [model(f"loras/{i:03}.pt", size=9, first_seen=NIGHT) for i in range(120)]
    rows += [model("loras/000.pt", "b2", size=9)]
    frame = models_frame(rows)

    report = catalog_report(frame, catalog_lists(frame, NIGHT), NIGHT, {"new": "reports/new.csv"})

    assert (report.servers, report.files, report.models) == (2, 121, 120)
    assert (report.new.count, len(report.new.rows), report.new.stored_at) == (
        120,
        50,
        "reports/new.csv",
    )
    assert report.new.rows[0]["first_seen"] == "2026-03-01T02:00:00+00:00"
    assert (report.duplicates.count, report.bytes_freeable) == (1, 9)
    assert report.gone.rows == ()
