"""The flow import-couple-swap: its report, its name, what it shows and what it refuses."""

from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database

from flows.import_couple_swap import import_couple_swap
from tests.support.flows.runs import shown_by
from tests.support.paths import COUPLE_SAMPLES

Data = Database[dict[str, Any]]


@pytest.mark.parametrize(
    ("dry_run", "run_name", "documents"),
    [
        (False, "import-couple-swap", 1),
        (True, "import-couple-swap (dry run)", 0),
    ],
)
def test_a_run_shows_what_it_did_and_what_has_no_place(
    configured: Data,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    *,
    dry_run: bool,
    run_name: str,
    documents: int,
) -> None:
    rows = "id,user_id,filename,storage_path\n1,,a.png,a.png\n2,9,b.png,b.png\n"
    (tmp_path / "images.csv").write_text(rows)

    state = import_couple_swap(csv_folder=str(tmp_path), dry_run=dry_run, return_state=True)

    report = state.result()
    name, artifacts = shown_by(state)
    [artifact] = artifacts["import-couple-swap"]
    assert name == run_name
    logged = [record.getMessage() for record in caplog.records]
    assert {report.summary(), *report.lines(), *report.notes} <= {*logged}
    assert "Not placed: images id 2: user_id 9 has no place in users." in logged
    assert (artifact.type, artifact.key) == ("table", "import-couple-swap")
    assert report.summary() in str(artifact.description)
    assert "user_id 9 has no place in users" in str(artifact.data)
    assert configured["images"].count_documents({}) == documents
    assert (report.created, report.problem_count) == (1, 1)


def test_an_address_with_a_password_is_refused_before_anything_else(
    configured: Data, caplog: pytest.LogCaptureFixture
) -> None:
    state = import_couple_swap(
        csv_folder=str(COUPLE_SAMPLES),
        postgres_url="postgresql://reader:hidden@127.0.0.1:1/couple",
        return_state=True,
    )

    assert state.is_failed()
    assert "postgres_url has a password in it" in str(state.message)
    assert "hidden" not in str(state.message) + caplog.text
    assert configured.list_collection_names() == []
