"""The reasons why a document is invalid, and the report of an audit: its order, text and bounds."""

from datetime import UTC, datetime
from typing import Any

import pytest

from db.audit.documents import reasons
from db.audit.indexes import is_unused
from db.audit.report import AuditFinding, AuditReport, Severity, ValidatedCount, worst_first
from db.schema.collections import COLLECTIONS, Collection
from tests.support.db.stored_documents import DOCUMENTS


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
        collections=(ValidatedCount(collection="clips", documents=50, validated=10),),
        findings=findings,
    )


def test_the_worst_comes_first_and_equals_stay_in_their_order() -> None:
    found = [finding("info"), finding("warning", 1), finding("critical"), finding("warning", 2)]

    sorted_by = [(finding.severity, finding.subject[-1]) for finding in worst_first(found)]

    assert sorted_by == [("critical", "0"), ("warning", "1"), ("warning", "2"), ("info", "0")]


def test_a_line_names_the_finding_the_count_and_the_remedy() -> None:
    assert [*report(finding()).lines()] == [
        "warning: orphan in clips, scene_id 0: 7 (a, b, c, d, e, ...). Restore it.",
        "clips: 10 of 50 validated.",
    ]
    assert str(finding(done="fixed: 7 applied.")).endswith("fixed: 7 applied.")


def test_the_summary_counts_findings_and_repairs() -> None:
    looked = report(finding("info"), finding("critical"), finding("info"))

    assert looked.summary() == (
        "Database storyboard: 1 critical, 2 info; looked only; 10 document(s) validated."
    )
    assert "nothing found; 0 with repairs" in report(fix=True).summary()
    assert "1 with repairs" in report(finding(done="fixed: it."), fix=True).summary()


def test_json_that_would_be_too_long_keeps_the_worst_and_counts_the_rest() -> None:
    short, whole = report(finding()), report(*[finding(number=number) for number in range(100)])

    text = whole.as_json(10_000)

    kept = AuditReport.model_validate_json(text)
    assert len(text) <= 10_000
    assert kept.findings[0].subject == "scene_id 0"
    assert len(kept.findings) + kept.left_out == 100
    assert AuditReport.model_validate_json(short.as_json(10_000)) == short


INDEX: dict[str, Any] = {"_id": "name_1", "uses": 0, "unique": None, "expires": None}


@pytest.mark.parametrize(
    "at_work", [{"uses": 1}, {"unique": True}, {"expires": 0}, {"_id": "_id_"}], ids=str
)
def test_an_index_at_work_is_not_unused(at_work: dict[str, Any]) -> None:
    assert is_unused(INDEX)
    assert not is_unused(INDEX | at_work)


ENTRY = {"id": "e", "operation_type": "enhance", "input_image_url": "a"}
MIRA = {"id": "1", "project_id": "1", "name": "Mira"}


def paths(collection: str, document: dict[str, Any]) -> set[str]:
    return {path for path, _ in reasons(DOCUMENTS[collection], document)}


def test_places_in_a_list_are_a_single_reason() -> None:
    history = {"facefusion_processing_history": [ENTRY, ENTRY]}

    assert reasons(DOCUMENTS["characters"], MIRA | history) == {
        ("facefusion_processing_history[].created_at", "Field required")
    }


def test_keys_that_are_values_are_not_shown() -> None:
    gallery = {"age_variants": {"secret": "a", "hidden": "b", "45": 3}}

    found = paths("characters", MIRA | {"facefusion_output_gallery": gallery})

    place = "facefusion_output_gallery.age_variants.*"
    assert found == {place, f"{place}.[key]"}


def test_the_branches_of_a_union_are_not_in_the_path() -> None:
    model = {"id": 1, "name": "x", "type": "LORA", "allowCommercialUse": [1]}

    assert paths("civitai_models", model) == {"allowCommercialUse", "allowCommercialUse[]"}


@pytest.mark.parametrize(
    ("collection", "document"),
    [
        ("users", {"id": "1", "username": ["hunter2"], "hashed_password": {"hunter2": 1}}),
        ("comfyui_servers", {"id": "1", "name": "x", "url": "u", "status": "hunter2"}),
        ("facefusion_operations", {"effects": [{"kind": "hunter2"}]}),
        ("migrations", {"_id": 1, "counts": {"hunter2": -1}}),
    ],
)
def test_no_value_is_shown(collection: str, document: dict[str, Any]) -> None:
    found = reasons(DOCUMENTS[collection], document)

    assert found
    assert "hunter2" not in str(found)


def test_a_field_that_should_not_be_is_named() -> None:
    assert "invented" in paths("facefusion_operations", {"invented": 1})


@pytest.mark.parametrize("strange", [{}, {"id": None}, {"_id": [1], "effects": 3}, {"model_": {}}])
@pytest.mark.parametrize("collection", COLLECTIONS, ids=lambda collection: collection.name)
def test_anything_can_be_validated(collection: Collection, strange: dict[str, Any]) -> None:
    assert all(map(all, reasons(collection.document, strange)))
