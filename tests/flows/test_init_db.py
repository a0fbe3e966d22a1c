"""The flow init-db: its report, what it shows in the UI, and how it ends when it is blocked."""

from pathlib import Path
from typing import Any

import pytest
from prefect import Flow
from prefect.client.schemas.objects import State
from pymongo.database import Database

from db.errors import DatabaseRefused
from db.schema.collections import COLLECTIONS
from flows.audit_db import audit_db
from flows.init_db import init_db
from flows.migrate_db import migrate_db
from tasks.database.initialise import ARTIFACT_KEY, InitialisationBlocked
from tests.support.db.database_state import shape
from tests.support.flows.runs import nightly_parameters, shown_by

Data = Database[dict[str, Any]]
CREATED = [collection.name for collection in COLLECTIONS if not collection.app_owned]
WRONG_USER = "mongodb://user:hunter2@"


def artifact_of(state: State[Any]) -> Any:  # noqa: ANN401 - Prefect's own
    [artifact] = shown_by(state)[1][ARTIFACT_KEY]
    return artifact


def test_an_empty_database_is_made_and_shown_row_by_row(configured: Data) -> None:
    state = init_db(return_state=True)

    report = state.result()
    artifact = artifact_of(state)
    assert {finding.outcome for finding in report.findings} == {"created"}
    assert set(configured.list_collection_names()) == {*CREATED}
    assert (artifact.key, artifact.type) == ("init-db", "table")
    assert artifact.data.count('"outcome": "created"') == len(report.findings)
    assert artifact.description == report.summary()
    assert shown_by(state)[0] == "init-db"


def test_the_log_has_a_line_for_each_collection(
    configured: Data, caplog: pytest.LogCaptureFixture
) -> None:
    configured["films"].insert_one({})

    init_db()

    logged = [record.getMessage() for record in caplog.records]
    assert "migrations: created: migrations, validator." in logged
    assert "films: unknown and left alone: films." in logged
    assert [name for name in CREATED if not any(f"{name}: c" in line for line in logged)] == []


def test_the_first_line_names_server_and_database(
    configured: Data, caplog: pytest.LogCaptureFixture
) -> None:
    """A connection string that is not meant looks like success otherwise."""
    init_db(dry_run=True)

    host, port = configured.client.address or ("", 0)
    own = [line for line in caplog.messages if not line.startswith(("Beginning", "View at"))]
    assert own[0] == (
        f"MongoDB at {host}:{port}, database '{configured.name}' (named by DB_NAME); server named "
        "by MONGO_URL."
    )


def test_a_server_that_was_started_for_the_run_is_a_warning(
    monkeypatch: pytest.MonkeyPatch,
    prefect: None,  # noqa: ARG001 - it names the server
    mongo_url: str,  # noqa: ARG001 - the same server, found by the state directory
    shared_dir: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    for name in ("MONGO_URL", "DB_NAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("STORYCANVAS_STATE", str(shared_dir / "replica_set"))

    init_db(dry_run=True)

    [told] = [each for each in caplog.records if "No MongoDB is named" in each.getMessage()]
    assert told.levelname == "WARNING"
    assert "started on this machine: MongoDB at 127.0.0.1:" in told.getMessage()
    assert "database 'storyboard'" in told.getMessage()


def test_a_dry_run_says_so_in_its_name_and_writes_nothing(configured: Data) -> None:
    state = init_db(dry_run=True, return_state=True)

    assert shown_by(state)[0] == "init-db (dry run)"
    assert "would be created" in artifact_of(state).description
    assert state.is_completed()
    assert configured.list_collection_names() == []


def test_the_validation_action_reaches_the_server_and_stays(configured: Data) -> None:
    init_db(validation_action="error")

    assert init_db().changed == ()
    found = configured.list_collections()
    assert {collection["options"]["validationAction"] for collection in found} == {"error"}


def test_duplicates_end_the_run_failed_with_the_report_and_what_to_do(configured: Data) -> None:
    configured["users"].insert_many([{"_id": n, "id": "same"} for n in range(2)])

    state = init_db(return_state=True)

    assert state.is_failed()
    for sentence in ("users.id_1", "change all but one", "was dropped"):
        assert sentence in (state.message or "")
    assert "id = 'same' in 2 documents (_id 0, 1)" in artifact_of(state).data
    with pytest.raises(InitialisationBlocked) as error:
        state.result()
    assert "id_1" in {finding.name for finding in error.value.report.blocked}
    assert configured["users"].count_documents({}) == 2


def test_the_nightly_run_brings_back_what_was_dropped_by_hand_and_repairs_nothing(
    configured: Data, caplog: pytest.LogCaptureFixture
) -> None:
    init_db()
    complete = shape(configured)
    configured.drop_collection("facefusion_jobs")
    configured["projects"].drop_index("name_1")
    configured["projects"].create_index("name", name="name_1", sparse=True)
    configured["users"].drop_index("id_1")
    configured["users"].insert_many(
        [{"_id": n, "id": "same", "username": str(n), "email": str(n)} for n in range(2)]
    )

    state = init_db(**nightly_parameters("init-db"), return_state=True)

    assert state.is_completed()
    report = state.result()
    assert {finding.collection for finding in report.changed} == {"facefusion_jobs"}
    assert shape(configured)["facefusion_jobs"] == complete["facefusion_jobs"]
    assert configured["projects"].index_information()["name_1"]["sparse"]
    warnings = [each.getMessage() for each in caplog.records if each.levelname == "WARNING"]
    assert any("left alone: index projects.name_1: It differs in sparse." in w for w in warnings)
    assert any("Blocked: index users.id_1" in w and "_id 0, 1" in w for w in warnings)


@pytest.mark.usefixtures("configured")
@pytest.mark.parametrize(
    ("run", "url", "sentence"),
    [
        (init_db, WRONG_USER, "MongoDB refuses this user (error 18)"),
        (audit_db, WRONG_USER, "MongoDB refuses this user (error 18)"),
        (migrate_db, WRONG_USER, "MongoDB refuses this user (error 18)"),
        (init_db, "http://", "is not a MongoDB connection string"),
    ],
)
def test_a_database_that_cannot_be_opened_is_one_sentence(
    mongo_url: str, monkeypatch: pytest.MonkeyPatch, run: Flow[..., Any], url: str, sentence: str
) -> None:
    monkeypatch.setenv("MONGO_URL", mongo_url.replace("mongodb://", url))

    state = run(return_state=True)

    assert state.is_failed()
    assert sentence in (state.message or "")
    assert "hunter2" not in (state.message or "")
    with pytest.raises(DatabaseRefused):
        state.result()
