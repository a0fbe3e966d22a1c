"""The flow process-faceswap-tasks, for real: rows of either version, ends as the app reads them."""

import io
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image
from prefect.client.schemas.objects import State

from db.couple_results import CoupleResults
from db.queues.claims import ClaimRepository
from db.queues.queue import COUPLE_TASKS
from flows.process_faceswap_tasks import process_faceswap_tasks
from storycanvas.couple.placing import Side
from storycanvas.faces.contract import API
from tasks.faces.context import RunContext
from tasks.queues.report import DrainReport
from tests.support.flows.couple_rows import ASKED, Rows
from tests.support.flows.couples import BESIDE, husband, seen_at, side_by_side, template, wife
from tests.support.flows.jobs import let_leases_end
from tests.support.flows.runs import shown_by, task_names_of
from tests.support.flows.world import World

M, F = "husband", "wife"
LEFT, RIGHT = (95, 80, 112, 125), (415, 99, 111, 125)
"""About where the faces of two that stand beside each other are."""
VERSIONS = pytest.mark.parametrize("version", ["first", "later"])


def to(person: str, target: int, source: int = 0) -> dict[str, Any]:
    return {"source_photo": person, "target_face_index": target, "source_face_index": source}


@pytest.fixture
def rows(world: World) -> Rows:
    return Rows(world)


def drained(**parameters: Any) -> DrainReport:
    state: State[Any] = process_faceswap_tasks(
        **{"wait_seconds": 0, **parameters}, return_state=True
    )
    report: DrainReport = state.result()
    return report


def result_of(rows: Rows, name: str = "task-1") -> tuple[dict[str, Any], Image.Image]:
    """The row of a task's result, and the picture that lies where the row says."""
    image = rows.row("images", rows.row("faceswap_tasks", name)["result_image_id"])
    file = rows.world.store.read(image["storage_path"])
    assert image["file_size"] == len(file)
    return image, Image.open(io.BytesIO(file)).convert("RGB")


def seen(rows: Rows, name: str = "task-1") -> list[str]:
    """Who is on the left and on the right face of a task's result."""
    scene, (_, made) = template(BESIDE), result_of(rows, name)
    return [seen_at(scene, made, box) for box in (LEFT, RIGHT)]


@VERSIONS
def test_a_plain_insert_is_completed_with_its_row(rows: Rows, version: str) -> None:
    rows.template(version, category="movie")
    rows.task(version)

    state: State[Any] = process_faceswap_tasks(wait_seconds=0, return_state=True)

    report: DrainReport = state.result()
    assert shown_by(state)[0] == "process-faceswap-tasks · 1 done"
    assert task_names_of(state, "task task · swap 2, wife") >= {"task task · swap 1, husband"}
    task = rows.row("faceswap_tasks")
    assert report.counts == {"completed": 1}
    assert (task["status"], task["progress"], task["error_message"]) == ("completed", 100, None)
    assert task["processing_time"] > 0
    assert task["completed_at"] >= task["started_at"]
    image, made = result_of(rows)
    assert (image["width"], image["height"]) == made.size == template(BESIDE).size
    assert image["filename"] == Path(image["storage_path"]).name
    told = {n: image[n] for n in ("user_id", "image_type", "storage_type", "category", "tags")}
    assert told == {
        "user_id": "user-1",
        "image_type": "result",
        "storage_type": "permanent",
        "category": "movie",
        "tags": [],
    }
    metadata = image["metadata"]
    assert len(metadata.pop("operation_keys")) == 2
    assert (metadata["task_id"], metadata["template_id"]) == ("task-1", "t-1")
    assert (metadata["engine"], metadata["ai_edit"]) == ("preview", True)
    assert rows.row("templates", "t-1")["popularity_score"] == 1
    assert seen(rows) == [F, M]  # the template's data has the man on the right


@pytest.mark.parametrize(
    "fields", [{"is_active": False}, {"deleted_at": ASKED}], ids=["inactive", "deleted"]
)
def test_a_task_that_waits_is_finished_though_its_template_is_gone(
    rows: Rows, fields: dict[str, Any]
) -> None:
    rows.template("later", **fields)
    rows.task()

    assert drained().counts == {"completed": 1}


WHO: dict[str, tuple[dict[str, Any], dict[str, Any], list[str]]] = {
    "genders": ({}, {}, [F, M]),
    "an empty mapping": ({"face_mappings": []}, {}, [F, M]),
    "the parameter decides over genders": ({}, {"husband": Side.LEFT}, [M, F]),
    "a mapping": ({"face_mappings": [to(M, 1), to(F, 0)]}, {}, [M, F]),
    "one mapping": ({"face_mappings": [to(F, 0)], "husband_photo_id": None}, {}, ["template", F]),
}


@pytest.mark.parametrize(("fields", "parameters", "persons"), WHO.values(), ids=WHO)
def test_each_person_lands_where_the_task_says(
    rows: Rows, fields: dict[str, Any], parameters: dict[str, Any], persons: list[str]
) -> None:
    rows.template("later")
    rows.task(**fields)

    drained(**parameters)

    assert rows.row("faceswap_tasks")["error_message"] is None
    assert seen(rows) == persons


def test_one_photo_gives_both_their_faces(rows: Rows) -> None:
    rows.template("later")
    rows.image("both", side_by_side(wife(), husband()), image_type="photo")
    mappings = [to(M, 0, 0), to(F, 1, 1)]
    rows.task(husband_photo_id="both", wife_photo_id="both", face_mappings=mappings)

    drained()

    assert sorted(seen(rows)) == [M, F]


FAILING: dict[str, tuple[dict[str, Any], str, str]] = {
    "index 99": (
        {"face_mappings": [to(M, 99), to(F, 0)]},
        "out_of_range",
        "Target face index 99 out of range (detected 2 faces)",
    ),
    "source index 9": (
        {"face_mappings": [to(M, 0, 9)]},
        "out_of_range",
        "Source face index 9 out of range (detected 1 faces)",
    ),
    "no row": ({"wife_photo_id": "gone"}, "picture_gone", ""),
    "no file": ({"wife_photo_id": "nothing"}, "picture_gone", ""),
    "no template": ({"template_id": "none"}, "template_unusable", ""),
    "two names": ({"wife_image_id": "him"}, "bad_field", ""),
    "a path out of the store": ({"wife_photo_id": "hostile"}, "picture_not_allowed", ""),
}


@pytest.mark.parametrize(("fields", "code", "sentence"), FAILING.values(), ids=FAILING)
def test_what_will_stay_wrong_fails_at_once(
    rows: Rows, fields: dict[str, Any], code: str, sentence: str
) -> None:
    rows.template("later")
    rows.insert("images", id="nothing", filename="n.png", storage_path="photos/nothing.png")
    rows.insert("images", id="hostile", filename="n.png", storage_path="../../etc/hostname")
    rows.task(progress=30, **fields)

    report = drained()

    task = rows.row("faceswap_tasks")
    assert (task["status"], task["error_code"]) == ("failed", code)
    assert task["error_message"].startswith(sentence)
    assert str(rows.world.folder) not in task["error_message"]
    assert (task["progress"], task["processing_time"], task["attempts"]) == (30, None, 1)
    assert task["completed_at"] is not None
    assert report.counts == {"failed": 1}


def test_a_waiting_task_may_use_a_photo_that_has_expired_and_nothing_of_it_is_kept(
    rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows.template("later")
    past = datetime.now(UTC) - timedelta(days=1)
    rows.image("brief", wife(), image_type="photo", storage_type="temporary", expires_at=past)
    rows.task(wife_photo_id="brief")
    before = {path for path in rows.world.folder.rglob("*.png") if "result" not in path.parts}
    uploaded: set[tuple[str, str]] = set()
    remove = RunContext.remove_uploads

    def note_and_remove(context: RunContext) -> None:
        uploaded.update(context.uploads)
        remove(context)

    monkeypatch.setattr(RunContext, "remove_uploads", note_and_remove)
    report = drained()

    kept = {path for path in rows.world.folder.rglob("*.png") if "result" not in path.parts}
    assert (report.counts, kept) == ({"completed": 1}, before)
    assert "temporary photo brief not kept" in report.jobs[0].steps
    assert len(uploaded) >= 3
    asked = [httpx.head(f"{host}{API}/assets/{asset}") for host, asset in uploaded]
    assert {answer.status_code for answer in asked} == {404}


def test_a_batch_ends_with_its_last_task(rows: Rows) -> None:
    rows.template("later")
    for number in range(2):
        rows.task(name=f"task-{number}", batch_id="b", face_mappings=[to(F, number)])
    rows.task(name="task-2", batch_id="b", face_mappings=[to(F, 99)])
    rows.insert("batch_tasks", id="b-1", batch_id="b", status="pending", total_tasks=3)

    drained(max_jobs=2, at_once=1)
    between = rows.row("batch_tasks", "b-1")
    drained()

    batch = rows.row("batch_tasks", "b-1")
    assert (between["status"], between["completed_tasks"]) == ("processing", 2)
    assert (batch["status"], batch["completed_tasks"], batch["failed_tasks"]) == ("completed", 2, 1)
    assert batch["completed_at"] is not None


def test_a_task_that_the_app_cancels_stops_before_its_next_step(
    rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows.template("later")
    rows.task(face_mappings=[to((M, F)[n % 2], n % 2) for n in range(12)])
    cancelled = {"status": "failed", "error_message": "Canceled by user"}
    write = ClaimRepository.write

    def cancel_after_the_first(self: ClaimRepository, *args: Any, **named: Any) -> bool:
        held = write(self, *args, **named)
        tasks = rows.world.database["faceswap_tasks"]
        tasks.update_one({"id": "task-1"}, {"$set": cancelled})
        return held

    monkeypatch.setattr(ClaimRepository, "write", cancel_after_the_first)
    begun = rows.world.host.status().operations

    report = drained()

    task = rows.row("faceswap_tasks")
    assert report.counts == {"cancelled": 1}
    assert (task["status"], task["error_message"]) == ("failed", "Canceled by user")
    assert task.get("result_image_id") is None
    assert rows.world.host.status().operations - begun < 8


class Killed(BaseException):
    """Stands for the end of the process."""


WRITES = [
    (CoupleResults, "add_image"),
    (ClaimRepository, "end"),
    (CoupleResults, "count_use"),
    (CoupleResults, "recount_batch"),
]


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(
    ("owner", "method"), WRITES, ids=lambda value: getattr(value, "__name__", value)
)
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_kill_between_two_writes_leaves_one_row(
    rows: Rows, owner: type, method: str, when: str
) -> None:
    rows.template("later")
    rows.task(batch_id="b")
    rows.insert("batch_tasks", id="b-1", batch_id="b", status="pending", total_tasks=1)
    original = getattr(owner, method)

    def die(*args: object, **named: object) -> None:
        if when == "after":
            original(*args, **named)
        raise Killed

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(owner, method, die)
        drained(max_jobs=1)
    let_leases_end(rows.world, COUPLE_TASKS)
    drained()

    task = rows.row("faceswap_tasks")
    assert task["status"] == "completed"
    results = rows.world.database["images"].count_documents({"image_type": "result"})
    assert results == 1
    assert rows.row("images", task["result_image_id"])["metadata"]["task_id"] == "task-1"
    assert rows.row("templates", "t-1").get("popularity_score", 0) <= 1
