"""The flow process-jobs, for real: what a document alone asks for and is told."""

import json
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from prefect import flow

from flows.parameters import WORKERS
from flows.process_jobs import process_jobs
from storycanvas.faces.gallery.page import page_path
from storycanvas.services.shared import acquire
from tasks.queues.drain import DrainRules
from tasks.queues.jobs import JobWork
from tasks.queues.report import DrainReport
from tasks.queues.run import run_drain
from tests.support.flows.hosts import OddHost, after_operations
from tests.support.flows.jobs import drained, insert_jobs, stored, stored_portrait, the_job
from tests.support.flows.runs import shown_by, task_names_of
from tests.support.flows.world import CHARACTER, World, plain_picture
from tests.support.host.started_host import wait_until

GALLERY, HISTORY = "facefusion_output_gallery", "facefusion_processing_history"
PICTURE = {"output_url", "output_path", "operation_key", "processing_time_seconds", "reused"}


@pytest.fixture
def portrait(world: World) -> str:
    return stored_portrait(world)


def test_every_type_of_job_tells_its_results_in_the_document(world: World, portrait: str) -> None:
    other = stored_portrait(world, "other")
    one, swap = {"image_url": portrait}, {"source_face_url": other, "target_image_url": portrait}
    insert_jobs(
        world,
        {"job_type": "enhance", "input_data": {**one, "face_enhancer_blend": 0.7}},
        {"job_type": "age_adjust", "input_data": {**one, "target_age": 60}},
        {"job_type": "age_adjust", "input_data": {**one, "ages": [40, 60], "enhance": "none"}},
        {"job_type": "swap", "input_data": swap},
        {"job_type": "edit", "input_data": {**one, "mouth_smile": 40}},
        {"job_type": "mask", "input_data": {**one, "face_mask_types": ["box"]}},
        {"job_type": "detect", "input_data": one},
        {"input_data": {"operations": [{"type": "enhance", **one}]}},
        {
            "job_type": "chain",
            "input_data": {"chain": "enhance-and-age", "pictures": {"start": portrait}},
        },
    )

    report = drained()

    jobs = [the_job(world, number) for number in range(9)]
    assert [(job["status"], job.get("error_message")) for job in jobs] == [("completed", None)] * 9
    assert report.counts == {"completed": 9}
    outputs = [job["output_data"] for job in jobs]
    assert [outputs[n].keys() for n in (0, 1, 3, 4, 5)] == [PICTURE] * 5
    assert {*outputs[2]["results"]} == {"40", "60"}
    assert outputs[6]["total_faces"] == len(outputs[6]["faces"]) == 1
    assert outputs[7]["completed_operations"] == 1
    assert all(result.keys() == PICTURE for result in outputs[8]["results"].values())
    for job in jobs:
        assert (job["progress"], job["claim_token"], job["attempts"]) == (100.0, None, 1)
        assert job["total_operations"] == job["completed_operations"] > 0
        assert job["completed_at"] >= job["started_at"]


def test_one_at_once_starts_in_the_order_of_the_queue(world: World, portrait: str) -> None:
    priorities = [(7 * number) % 5 for number in range(50)]
    jobs = [{"job_type": "detect", "input_data": {"image_url": portrait}}] * 50
    insert_jobs(world, *({**job, "priority": p} for job, p in zip(jobs, priorities, strict=True)))

    drained(at_once=1)

    documents = world.database["facefusion_jobs"].find(sort=[("started_at", 1)])
    ordered = sorted(range(50), key=lambda number: (-priorities[number], number))
    assert [job["id"] for job in documents] == [f"job-{number}" for number in ordered]


def test_the_name_of_a_run_tells_what_it_came_to(world: World, portrait: str) -> None:
    job = {"job_type": "enhance", "input_data": {"image_url": portrait}}
    insert_jobs(world, job, {**job, "input_data": {}}, job)

    did = process_jobs(wait_seconds=0, job_types=("enhance",), at_once=1, return_state=True)
    idle = process_jobs(wait_seconds=0, return_state=True)

    assert shown_by(did)[0] == "process-jobs · enhance · 2 done, 1 failed"
    assert shown_by(idle)[0] == "process-jobs · nothing to do"


def test_a_job_of_a_character_is_in_its_history_and_gallery_once(
    world: World, portrait: str
) -> None:
    job = {"job_type": "enhance", "character_id": CHARACTER, "input_data": {"image_url": portrait}}
    insert_jobs(world, job, job)

    state = process_jobs(wait_seconds=0, at_once=1, return_state=True)

    report: DrainReport = state.result()
    first, second = the_job(world, 0)["output_data"], the_job(world, 1)["output_data"]
    assert (first["reused"], second["reused"]) == (False, True)
    assert world.character()[GALLERY]["enhanced_faces"] == [first["output_url"]]
    assert len(world.character()[HISTORY]) == 1
    assert [row.job for row in report.jobs] == ["job job- · enhance · Mira"] * 2
    names = task_names_of(state, "job job- · enhance · Mira · enhance")
    assert "job job- · enhance · Mira · fetch picture" in names
    assert world.store.folder
    page = (world.store.folder / page_path(CHARACTER)).read_text()
    assert f'src="../{first["output_path"]}"' in page


WRONG = [
    ({"job_type": "enhance", "input_data": {}}, "bad_field"),
    ({"job_type": "enhance", "input_data": {"image_url": "P", "colour": 3}}, "bad_field"),
    ({"job_type": "enhance", "input_data": {"image_url": "/etc/hostname"}}, "picture_not_allowed"),
    ({"job_type": "detect", "input_data": {"image_url": "file:///etc/hostname"}}, "any"),
    ({"job_type": "detect", "input_data": {"image_url": "http://127.0.0.1:9/x.png"}}, "any"),
    ({"job_type": "age_adjust", "input_data": {"image_url": "P", "target_age": 5}}, "child_age"),
    ({"job_type": "age_adjust", "input_data": {"image_url": "P", "target_age": 500}}, "any"),
    ({"job_type": "enhance", "input_data": {"image_url": "PLAIN"}}, "no_face"),
    ({"job_type": "enhance", "input_data": {"image_url": "P", "preset": "no-such"}}, "any"),
    (
        {
            "job_type": "enhance",
            "character_id": "none",
            "input_data": {"image_url": "P"},
        },
        "any",
    ),
    ({"job_type": "magic", "input_data": {"image_url": "P"}}, "bad_field"),
    ({"job_type": "chain", "input_data": {"chain": "no-such-chain"}}, "any"),
    ({"input_data": {"operations": [{"type": "enhance", "image_url": "PLAIN"}]}}, "no_face"),
]


def test_a_wrong_job_fails_at_once_with_its_code_and_sentence(world: World, portrait: str) -> None:
    plain = stored(world, world.picture("plain.png", plain_picture()))
    written = json.dumps([job for job, _ in WRONG]).replace('"P"', f'"{portrait}"')
    insert_jobs(world, *json.loads(written.replace('"PLAIN"', f'"{plain}"')))

    report = drained()

    ended = [the_job(world, number) for number in range(len(WRONG))]
    assert [job["status"] for job in ended] == ["failed"] * len(WRONG)
    assert report.counts == {"failed": len(WRONG)}
    for job, (_, code) in zip(ended, WRONG, strict=True):
        assert code in {"any", job["error_code"]}, job["error_message"]
        assert job["error_code"], job
        assert job["error_message"]
        assert (job["attempts"], job["completed_at"] is None) == (1, False)


def test_a_batch_is_completed_with_what_it_could_do(world: World, portrait: str) -> None:
    good = {"type": "enhance", "image_url": portrait}
    insert_jobs(world, {"input_data": {"operations": [good, {"type": "magic"}]}})

    drained()

    job = the_job(world)
    assert (job["status"], job["error_code"]) == ("completed", None)
    counts = job["total_operations"], job["completed_operations"], job["failed_operations"]
    assert counts == (2, 1, 1)
    assert [result["code"] for result in job["output_data"]["results"]] == [None, "bad_field"]


def test_a_picture_whose_server_is_away_costs_an_attempt_and_waits(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMAGE_URL_HOSTS", "127.0.0.1:9")
    insert_jobs(
        world,
        {"job_type": "enhance", "input_data": {"image_url": "http://127.0.0.1:9/a.png"}},
        {
            "job_type": "enhance",
            "attempts": 2,
            "input_data": {"image_url": "http://127.0.0.1:9/a.png"},
        },
    )

    report = drained(max_jobs=2)

    again, ended = the_job(world, 0), the_job(world, 1)
    assert report.counts == {"put back": 1, "failed": 1}
    assert (again["status"], again["attempts"]) == ("queued", 1)
    assert again["error_code"] == ended["error_code"] == "picture_unreachable"
    assert again["not_before"] - again["updated_at"] == timedelta(seconds=60)
    assert (ended["status"], ended["attempts"]) == ("failed", 3)


@flow(task_runner=WORKERS)
def drain_for_seconds() -> DrainReport:
    return run_drain(JobWork, DrainRules(run_minutes=0.05, wait_seconds=0))


def test_while_no_host_can_work_nothing_is_claimed_and_no_attempt_is_lost(
    world: World, portrait: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FACEFUSION_URL", "http://127.0.0.1:9")
    insert_jobs(world, {"job_type": "enhance", "input_data": {"image_url": portrait}})
    before = the_job(world)

    assert drain_for_seconds().counts == {}
    assert the_job(world) == before


def test_cancelling_a_running_job_lets_at_most_one_more_operation_run(
    world: World, portrait: str
) -> None:
    ages = [*range(20, 40)]
    data = {"image_url": portrait, "ages": ages, "enhance": "none", "intermediates": "never"}
    insert_jobs(world, {"job_type": "age_adjust", "input_data": data})
    begun = world.host.status().operations
    at_cancel: list[int] = []

    def cancel() -> None:
        jobs = world.database["facefusion_jobs"]
        wait_until(lambda: (the_job(world).get("completed_operations") or 0) >= 1)
        jobs.update_one({"id": "job-0"}, {"$set": {"status": "cancelled"}})
        at_cancel.append(world.host.status().operations)

    watching = after_operations(str(world.host.url), begun + 3, cancel)
    report = drained()
    watching.join()

    job = the_job(world)
    assert report.counts == {"cancelled": 1}
    assert world.host.status().operations <= at_cancel[0] + 2
    assert (job["status"], job["progress"] < 100) == ("cancelled", True)
    assert job["completed_operations"] >= 1


def test_progress_never_falls_and_counts_every_operation(world: World, portrait: str) -> None:
    seen: list[tuple[float, int]] = []
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(0.05):
            job = the_job(world)
            seen.append((job.get("progress", 0.0), job.get("completed_operations", 0)))

    data = {"image_url": portrait, "ages": [30, 40, 50, 60], "enhance": "none"}
    insert_jobs(world, {"job_type": "age_adjust", "progress": 40.0, "input_data": data})
    watching = threading.Thread(target=watch)
    watching.start()
    drained()
    ended.set()
    watching.join()

    assert [progress for progress, _ in seen] == sorted(progress for progress, _ in seen)
    assert min(progress for progress, _ in seen) >= 40
    assert len({done for _, done in seen}) > 2


def test_a_new_version_of_the_engine_is_no_failure(
    world: World, portrait: str, tmp_path: Path, own_host: Callable[[str], str]
) -> None:
    with acquire(OddHost("other-version"), tmp_path) as other:
        insert_jobs(world, {"job_type": "enhance", "input_data": {"image_url": portrait}})
        drained()
        own_host(other.url)
        insert_jobs(
            world,
            *[{"id": "job-9", "job_type": "enhance", "input_data": {"image_url": portrait}}],
        )
        drained()

    assert the_job(world, 9)["status"] == "completed"
    assert the_job(world, 9)["output_data"]["reused"] is False


def test_a_job_without_a_lease_is_the_apps_own(world: World, portrait: str) -> None:
    own = {"status": "processing", "input_data": {"image_url": portrait}}
    insert_jobs(world, own)
    before = the_job(world)

    assert drained().counts == {}
    assert the_job(world) == before


def test_a_waiting_drain_starts_an_inserted_job_soon(world: World, portrait: str) -> None:
    def insert() -> None:
        time.sleep(4.0)
        insert_jobs(
            world,
            {
                "job_type": "detect",
                "created_at": datetime.now(UTC),
                "input_data": {"image_url": portrait},
            },
        )

    inserting = threading.Thread(target=insert)
    inserting.start()
    drained(wait_seconds=30, max_jobs=1)
    inserting.join()

    job = the_job(world)
    assert job["started_at"] - job["created_at"] < timedelta(seconds=20)  # usually 0.1 s
