"""What may go from an image store: old, the store's own, and named by nothing."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

import pytest

from storycanvas.faces.tidying.decide import (
    KEPT_SHEETS,
    StoredFile,
    sort_trash,
    trash_path,
    unneeded,
    untrashed_path,
)
from storycanvas.faces.tidying.report import TidyReport, month_rows

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
LIMIT = NOW - timedelta(days=30)
OLD, YOUNG = LIMIT - timedelta(seconds=1), LIMIT


def digest(number: int) -> str:
    return f"{number:064x}"


def file(
    number: int, category: str = "result", *, ending: str = "png", when: datetime = OLD
) -> StoredFile:
    return StoredFile(f"local/{category}/2026/10/{digest(number)}.{ending}", 10, when)


def going(files: Iterable[StoredFile], named: Iterable[int] = (), **whose: str) -> list[StoredFile]:
    found = unneeded([*files], {digest(number) for number in named}, whose, LIMIT)
    return [*found.to_trash]


def test_only_what_is_old_and_named_by_nothing_goes() -> None:
    files = [file(1), file(2), file(3, when=YOUNG), file(4, "source"), file(5, "template")]

    assert going(files, named=[1]) == [files[1], files[3], files[4]]


@pytest.mark.parametrize(
    "path",
    [
        "uploads/face.png",
        "local/result/2026/10/face.png",
        f"local/result/2026/{digest(1)}.png",
        f"local/by-content/00/{digest(1)}",
        "galleries/mira-1.html",
        f"local/report/2026/10/{digest(1)}.csv",
        f"local/report/2026/10/{digest(1)}.ndjson.gz",
        f"elsewhere/local/result/2026/10/{digest(1)}.png",
        f"{digest(1)}.png",
        "upload.part",
        "local/result/2026/10/report.part",
    ],
)
def test_what_the_store_did_not_name_and_linked_reports_stay(path: str) -> None:
    assert going([StoredFile(path, 1, OLD)]) == []


def test_archives_and_half_written_files_go() -> None:
    archive = file(1, "report", ending="zip")
    parts = [
        StoredFile(f"local/{folder}/{'a' * 32}.part", 1, when)
        for folder in ("result/2026/10", "by-content/ff")
        for when in (OLD, YOUNG)
    ]

    assert going([archive, *parts]) == [archive, parts[0], parts[2]]


def sheets(count: int, first: int = 100) -> list[StoredFile]:
    times = (OLD - timedelta(days=number) for number in range(count))
    return [
        file(first + n, "contact_sheet", ending="jpg", when=when) for n, when in enumerate(times)
    ]


def test_the_newest_sheets_of_each_character_stay_whatever_their_age() -> None:
    of_mira, of_tom = sheets(KEPT_SHEETS + 3), sheets(2, 200)
    whose = {each.path: "mira" for each in of_mira} | {each.path: "tom" for each in of_tom}

    assert going([*of_tom, *of_mira], **whose) == of_mira[-3:]


def test_sheets_of_runs_without_a_character_go_and_unmarked_ones_stay() -> None:
    of_run, unmarked = sheets(2), sheets(3, 200)

    found = unneeded([*of_run, *unmarked], set(), {each.path: "" for each in of_run}, LIMIT)
    assert (found.sheets, found.unmarked) == (tuple(of_run), 3)


TODAY = date(2026, 11, 21)


def trashed(number: int, days_ago: int) -> StoredFile:
    path = trash_path(file(number).path, TODAY - timedelta(days=days_ago))
    return StoredFile(path, 10, OLD)


def test_the_trash_is_emptied_by_its_days_and_gives_back_what_is_named_again() -> None:
    long_ago, fresh, named = trashed(1, 14), trashed(2, 13), trashed(3, 400)
    part = StoredFile(f"trash/2026-01-01/local/result/2026/10/{'a' * 32}.part", 1, OLD)
    foreign = StoredFile("trash/2026-01-01/notes.txt", 1, OLD)
    odd = StoredFile(f"trash/2026-99-01/{file(4).path}", 1, OLD)

    found = sort_trash([long_ago, fresh, named, part, foreign, odd], {digest(3)}, TODAY, 14)

    assert found.to_remove == (long_ago, part)
    assert found.to_restore == (named,)
    assert untrashed_path(named.path) == file(3).path
    assert going([long_ago, fresh]) == []


def test_the_table_counts_bytes_by_category_and_month() -> None:
    files = [file(1), file(2), trashed(3, 1), StoredFile("galleries/a.html", 7, OLD)]

    rows = month_rows(files, [files[1]])

    assert [(row.category, row.month, row.files, row.bytes, row.unneeded) for row in rows] == [
        ("other files", "", 1, 7, 0),
        ("result", "2026-10", 2, 20, 1),
        ("trash", "2026-11-20", 1, 10, 0),
    ]
    counts = {"moved": 1, "moved_bytes": 10, "removed": 0, "removed_bytes": 0, "restored": 0}
    report = TidyReport(
        dry_run=True, days=30, trash_days=14, unmarked_sheets=2, months=rows, **counts
    )
    assert "4 files with 0.0 MB. 1 file (0.0 MB) that nothing needs" in report.summary()
    assert "would be moved" in report.summary()
    assert "2 contact sheets of earlier versions" in report.summary()
