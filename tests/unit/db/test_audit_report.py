"""The report of an audit: its order, its words and its bounds."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from db.audit.indexes import is_unused
from db.audit.report import AuditFinding, AuditReport, CollectionSeen, Severity, worst_first


def finding(severity: Severity = "warning", number: int = 0, done: str = "") -> AuditFinding:
    return AuditFinding(
        kind="orphan",
        collection="clips",
        subject=f"scene_id {number}",
        count=7,
        ids=tuple("abcdef"),
        severity=severity,
        remedy="" if done else "Restore it.",
        done=done,
    )


def report(*findings: AuditFinding, fix: bool = False) -> AuditReport:
    return AuditReport(
        database="storyboard",
        fix=fix,
        looked_at=datetime(2026, 11, 21, tzinfo=UTC),
        sample_size=10,
        collections=(CollectionSeen(collection="clips", documents=50, validated=10),),
        findings=findings,
    )


def test_the_worst_comes_first_and_equals_stay_in_their_order() -> None:
    found = [finding("info"), finding("warning", 1), finding("critical"), finding("warning", 2)]

    sorted_by = [(finding.severity, finding.subject[-1]) for finding in worst_first(found)]

    assert sorted_by == [("critical", "0"), ("warning", "1"), ("warning", "2"), ("info", "0")]


def test_a_line_says_what_where_how_many_and_what_to_do() -> None:
    assert [*report(finding()).lines()] == [
        "warning: orphan in clips, scene_id 0: 7 (a, b, c, d, e, ...). Restore it.",
        "clips: 10 of 50 validated.",
    ]


def test_a_line_says_what_was_done() -> None:
    assert str(finding(done="fixed: 7 applied.")).endswith("fixed: 7 applied.")


def test_a_sentence_says_how_many_there_are_and_whether_anything_was_done() -> None:
    looked = report(finding("info"), finding("critical"), finding("info"))

    assert looked.summary() == (
        "Database storyboard: 1 critical, 2 info; looked only; 10 document(s) validated."
    )
    assert "nothing found; 0 with repairs" in report(fix=True).summary()
    assert "1 with repairs" in report(finding(done="fixed: it."), fix=True).summary()


def test_json_that_fits_is_whole() -> None:
    whole = report(finding())

    assert AuditReport.model_validate_json(whole.as_json(10_000)) == whole


def test_json_that_would_be_too_long_keeps_the_worst_and_counts_the_rest() -> None:
    text = report(*[finding(number=number) for number in range(100)]).as_json(10_000)

    told = json.loads(text)
    assert len(text) <= 10_000
    assert told["findings"][0]["subject"] == "scene_id 0"
    assert len(told["findings"]) + told["left_out"] == 100


INDEX: dict[str, Any] = {"_id": "name_1", "uses": 0, "unique": None, "expires": None}


def test_an_index_that_no_query_used_is_unused() -> None:
    assert is_unused(INDEX)


@pytest.mark.parametrize(
    "at_work", [{"uses": 1}, {"unique": True}, {"expires": 0}, {"_id": "_id_"}], ids=str
)
def test_an_index_at_work_is_not_unused(at_work: dict[str, Any]) -> None:
    assert not is_unused(INDEX | at_work)
