"""A foreseen error ends a run as Failed with its sentence alone: in state, log and output."""

import os
import subprocess
import sys
from typing import Any

import pytest
from prefect import Flow, flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import LogFilter, LogFilterFlowRunId
from prefect.client.schemas.objects import State
from prefect.exceptions import ParameterTypeError
from prefect.states import Pending

from db.errors import DatabaseRefused
from deployments.run_flow import flow_names, load_flow, run_flow
from flows.audit_db import audit_db
from flows.init_db import init_db
from flows.maintain_model_catalog import maintain_model_catalog
from tasks.log_lines import failing_in_a_sentence
from tests.support.paths import ROOT

WRONG = "mongodb://user:hunter2@x@127.0.0.1/"
SENTENCE = "The user or password in MONGO_URL holds @ unencoded; write % as %25, @ as %40"


@pytest.fixture
def wrong(monkeypatch: pytest.MonkeyPatch, prefect: None) -> None:  # noqa: ARG001 - names the server
    monkeypatch.setenv("MONGO_URL", WRONG)


@pytest.mark.usefixtures("wrong")
def test_state_and_log_have_the_sentence_and_no_traceback(
    caplog: pytest.LogCaptureFixture,
) -> None:
    state = init_db(return_state=True)

    assert state.is_failed()
    assert state.message is not None
    assert state.message.startswith(SENTENCE)
    assert [line for line in caplog.messages if line.startswith("DatabaseRefused: The user")]
    assert not [record for record in caplog.records if record.exc_info]
    with pytest.raises(DatabaseRefused, match="holds @ unencoded"):
        init_db()


@pytest.mark.usefixtures("wrong")
def test_a_run_of_a_worker_says_so_in_its_log_and_in_its_output(prefect_url: str) -> None:
    with get_client(sync_client=True) as client:
        run = client.create_flow_run(audit_db, state=Pending())
    done = run_as_a_worker_does(run.id, "flows/audit_db.py:audit_db", prefect_url)

    with get_client(sync_client=True) as client:
        which = LogFilter(flow_run_id=LogFilterFlowRunId(any_=[run.id]))
        logged = [line.message for line in client.read_logs(which)]
        ended = client.read_flow_run(run.id).state
    assert SENTENCE in done.stdout
    assert "Traceback" not in done.stdout
    assert "hunter2" not in done.stdout
    assert [line for line in logged if "Traceback" in line] == []
    assert len([line for line in logged if "holds @ unencoded" in line]) == len(
        ["the sentence", "Prefect's last line"]
    )
    assert ended is not None
    assert ended.message is not None
    assert ended.message.startswith(SENTENCE)


def run_as_a_worker_does(
    run: object, entrypoint: str, prefect_url: str
) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "PREFECT_API_URL": prefect_url,
        "PREFECT__FLOW_RUN_ID": str(run),
        "PREFECT__FLOW_ENTRYPOINT": entrypoint,
    }
    return subprocess.run(
        [sys.executable, "-m", "prefect.engine"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


@pytest.mark.usefixtures("wrong")
def test_a_flow_of_flows_gives_the_sentence_of_each() -> None:
    state = maintain_model_catalog(import_models=False, return_state=True)

    assert f"sync-model-catalog: {SENTENCE}" in (state.message or "")


@pytest.mark.usefixtures("wrong")
def test_the_command_line_ends_with_the_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    code = run_flow(["audit-db"])

    last = capsys.readouterr().err.splitlines()[-1]
    assert code == 1
    assert last.startswith(SENTENCE)


@pytest.mark.usefixtures("prefect")
def test_parameters_that_do_not_fit_are_named_in_a_sentence(
    caplog: pytest.LogCaptureFixture,
) -> None:
    state: State[Any] = audit_db(sample_size=-1, return_state=True)

    assert state.message == (
        "Parameters that cannot be used: sample_size: Input should be greater than or equal to 0."
    )
    assert not [record for record in caplog.records if record.exc_info]
    with pytest.raises(ParameterTypeError, match="sample_size"):
        state.result()


@pytest.mark.usefixtures("prefect")
def test_an_error_that_is_not_foreseen_keeps_its_traceback(
    caplog: pytest.LogCaptureFixture,
) -> None:
    @flow(name="broken", validate_parameters=False)
    @failing_in_a_sentence
    def broken() -> None:
        raise LookupError("a fault of the program")

    with pytest.raises(LookupError):
        broken()

    assert [record for record in caplog.records if record.exc_info]


@pytest.mark.parametrize("name", flow_names())
def test_every_flow_ends_so_and_is_found_in_its_own_file(name: str) -> None:
    found: Flow[..., Any] = load_flow(name)

    assert not found.should_validate_parameters
    assert hasattr(found.fn, "__wrapped__")
    assert found.fn.__code__.co_filename.endswith(f"flows/{name.replace('-', '_')}.py")
