"""The flows submit-job and manage-jobs."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from prefect import flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowFilter, FlowFilterName
from prefect.client.schemas.objects import FlowRun
from prefect.exceptions import ParameterTypeError
from prefect.states import Completed, Running
from pymongo.database import Database

from db.errors import UnknownCharacter
from db.queues.submitting import NewJob, SubmittedJob
from flows.manage_jobs import manage_jobs
from flows.submit_job import submit_job
from storycanvas.faces.errors import BadField, ChildAgeRefused
from tasks.queues import starting
from tasks.queues.submit import submit
from tests.support.flows.runs import shown_by

Data = Database[dict[str, Any]]
PICTURE = {"image_url": "/uploads/face.png"}
LATER = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)


@pytest.fixture
def drain(prefect: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:  # noqa: ARG001
    """The name of a flow of this test's own with both deployments, which has no worker."""
    name = f"drain-{uuid4().hex[:8]}"
    monkeypatch.setitem(starting.DRAINS, "facefusion_jobs", name)
    with get_client(sync_client=True) as client:
        flow_id = client.create_flow_from_name(name)
        for deployment in (name, f"{name}-standing"):
            client.create_deployment(flow_id, deployment)
        yield name
        client.delete_flow(flow_id)


def runs_of(drain: str) -> list[FlowRun]:
    with get_client(sync_client=True) as client:
        return client.read_flow_runs(flow_filter=FlowFilter(name=FlowFilterName(any_=[drain])))


def begin(drain: str, deployment: str) -> FlowRun:
    with get_client(sync_client=True) as client:
        found = client.read_deployment_by_name(f"{drain}/{deployment}")
        return client.create_flow_run_from_deployment(found.id, state=Running())


def end(run: FlowRun) -> None:
    with get_client(sync_client=True) as client:
        client.set_flow_run_state(run.id, Completed(), force=True)


def test_a_job_is_submitted_from_lines_and_its_drain_is_started(
    configured: Data, drain: str
) -> None:
    configured["characters"].insert_one({"id": "mara", "name": "Mara"})
    text = "image_url: /uploads/face.png\nface_enhancer_blend: 0.5"

    state = submit_job("enhance", text, "mara", priority=3, return_state=True)  # type: ignore[arg-type]

    submitted = state.result()
    stored = configured["facefusion_jobs"].find_one({"id": submitted.id})
    assert stored is not None
    assert stored["input_data"] == {**PICTURE, "face_enhancer_blend": 0.5}
    assert (stored["status"], stored["priority"], stored["attempts"]) == ("queued", 3, 0)
    assert submitted.label == f"job {submitted.id[:4]} · enhance · Mara"
    (run,) = runs_of(drain)
    assert f"The run {run.name} was started." in (state.message or "")
    assert run.parent_task_run_id is None
    assert shown_by(state)[0] == "submit-job · enhance · Mara"


@flow(name="tried-again")
def tried_again(database: Data, drain: str) -> list[SubmittedJob]:
    """A flow of this test: does twice what submit-job does once."""
    submitted = []
    for _ in range(2):
        submitted.append(submit(database, NewJob(job_type="enhance", input_data=PICTURE)))
        starting.start_drain("facefusion_jobs", submitted[-1].id)
        for run in runs_of(drain):
            end(run)
    return submitted


def test_a_run_that_is_tried_again_submits_one_job_and_starts_one_drain(
    configured: Data, drain: str
) -> None:
    first, second = tried_again(configured, drain)

    assert first.id == second.id
    assert configured["facefusion_jobs"].count_documents({}) == 1
    assert len(runs_of(drain)) == 1


def test_no_second_drain_is_started_while_one_works_or_is_about_to(
    configured: Data, drain: str
) -> None:
    for deployment in (drain, f"{drain}-standing"):
        run = begin(drain, deployment)
        assert f"The run {run.name} takes it." in submit_job("enhance", PICTURE).drain
        end(run)
    first, second = submit_job("enhance", PICTURE), submit_job("enhance", PICTURE)

    assert "was started" in first.drain
    assert "takes it" in second.drain
    assert configured["facefusion_jobs"].count_documents({"status": "queued"}) == 4


def test_a_job_for_later_has_a_run_planned_for_then(configured: Data, drain: str) -> None:
    working = begin(drain, drain)

    submitted = submit_job("enhance", PICTURE, not_before=LATER)

    planned = {run.id: run for run in runs_of(drain)}
    del planned[working.id]
    (run,) = planned.values()
    assert f"The run {run.name} was planned for then." in submitted.summary()
    assert run.expected_start_time == LATER
    stored = configured["facefusion_jobs"].find_one()
    assert stored is not None
    assert stored["not_before"] == LATER


def test_without_a_deployment_the_message_says_so(
    configured: Data, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(starting.DRAINS, "facefusion_jobs", f"none-{uuid4().hex}")

    state = submit_job("enhance", PICTURE, return_state=True)

    assert "No deployment none-" in (state.message or "")
    assert configured["facefusion_jobs"].count_documents({}) == 1


@pytest.mark.usefixtures("drain")
@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2031-05-01 08:30", datetime(2031, 5, 1, 8, 30, tzinfo=UTC)),
        ("2031-05-01T08:30:00+02:00", datetime(2031, 5, 1, 6, 30, tzinfo=UTC)),
        (" 2031-05-01\n", datetime(2031, 5, 1, tzinfo=UTC)),
        ("\n", None),
    ],
)
def test_a_time_without_a_zone_is_utc(
    configured: Data, written: str, read: datetime | None
) -> None:
    submit_job("enhance", PICTURE, not_before=written)  # type: ignore[arg-type]

    stored = configured["facefusion_jobs"].find_one()
    assert stored is not None
    assert stored["not_before"] == read


@pytest.mark.usefixtures("drain")
@pytest.mark.parametrize(
    ("asked", "error", "sentence"),
    [
        ({"input_data": {"image": "a"}}, BadField, "image: enhance has no such field"),
        ({"input_data": {}}, BadField, "does not name the picture"),
        ({"input_data": "image_url: ["}, ParameterTypeError, "input_data: "),
        ({"input_data": "image_url"}, ParameterTypeError, "input_data: "),
        ({"job_type": "video"}, ParameterTypeError, "job_type: "),
        ({"priority": 101}, ParameterTypeError, "priority: "),
        ({"not_before": "20"}, ParameterTypeError, "not_before: "),
        ({"character_id": "unknown"}, UnknownCharacter, "There is no character"),
        (
            {"job_type": "age_adjust", "input_data": {**PICTURE, "target_age": 5}},
            ChildAgeRefused,
            "Age 5 is below 10",
        ),
    ],
)
def test_what_cannot_be_done_is_refused_before_it_is_in_the_queue(
    configured: Data, asked: dict[str, Any], error: type[Exception], sentence: str
) -> None:
    configured.create_collection("characters")

    with pytest.raises(error, match=sentence):
        submit_job(**{"job_type": "enhance", "input_data": PICTURE, **asked})

    assert configured["facefusion_jobs"].count_documents({}) == 0


@pytest.mark.usefixtures("configured", "drain")
def test_items_of_a_batch_that_cannot_be_read_are_told() -> None:
    items = [{"type": "enhance", **PICTURE}, {"type": "video"}]

    submitted = submit_job("batch", {"operations": items})

    assert "1 item of 2 fails as written. item 1: type: 'video'" in submitted.summary()


def test_a_cancelled_job_is_listed_and_put_back(configured: Data, drain: str) -> None:
    end(begin(drain, drain))
    job = submit_job("enhance", PICTURE)
    looked = manage_jobs("cancel", job_id=job.id, return_state=True)
    assert "1 would be cancelled." in (looked.message or "")
    assert "dry_run off" in (looked.message or "")

    cancelled = manage_jobs("cancel", job_id=job.id, dry_run=False)
    state = manage_jobs(status="cancelled", return_state=True)
    retried = manage_jobs("retry", job_id=job.id, dry_run=False)

    assert cancelled.summary() == "1 document of facefusion_jobs: 1 queued. 1 was cancelled."
    name, artifacts = shown_by(state)
    (row,) = json.loads(artifacts["manage-jobs"][0].data)
    assert (name, row["id"], row["status"]) == ("manage-jobs (list)", job.id, "cancelled")
    assert "1 was put back to wait. The run" in retried.summary()
    stored = configured["facefusion_jobs"].find_one()
    assert stored is not None
    assert stored["status"] == "queued"


@pytest.mark.usefixtures("configured")
def test_an_empty_queue_is_listed_and_tasks_have_no_character() -> None:
    assert manage_jobs(queue="faceswap_tasks").summary() == "No such document in faceswap_tasks."
    with pytest.raises(BadField, match="character_id is not for the queue faceswap_tasks"):
        manage_jobs(queue="faceswap_tasks", character_id="mara")
