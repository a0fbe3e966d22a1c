"""A face run that is stopped before its end: nothing is lost, nothing fails, and it ends soon."""

import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from PIL import Image, ImageOps
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterName
from prefect.client.schemas.objects import StateType
from prefect.client.schemas.sorting import FlowRunSort
from prefect.states import Cancelled

from deployments.sample import PORTRAIT
from flows.age_progression import age_progression
from flows.batch_process import batch_process
from storycanvas.faces.plan import Plan
from storycanvas.faces.recipes.age_path import Intermediates
from storycanvas.faces.recipes.steps import Choice
from storycanvas.faces.reports.steps import FaceRunReport
from storycanvas.gpu.guard.dispatcher import Dispatcher, dispatcher
from storycanvas.net.atomic_files import PART_SUFFIX
from tasks.faces import plan
from tasks.faces.plan import PlanResult, end_interrupted
from tests.support.flows.hosts import after_operations
from tests.support.flows.runs import artifacts_of
from tests.support.flows.world import CHARACTER, World
from tests.support.guard.slots import holding, taken
from tests.support.host.gated_engine import OpenPreview
from tests.support.host.slow_link import SlowLink
from tests.support.host.started_host import wait_until
from tests.support.host.threaded_host import OpenHost

SECONDS = 50.0
"""Ten times what a stopped run takes at most: the machine may be busy."""
WORKERS_GRACE = 30.0
"""Seconds after which Prefect's worker kills a run that it stops."""
LARGE_SIDE = 1600
FREE_BYTES = 256 * 1024
AGED = {"operation_type": "age_adjust"}
ENDED = {StateType.COMPLETED, StateType.CANCELLED}
WAITED = {StateType.PENDING}
"""Of a step that waited for another one, where a busy server did not know it in time."""


@contextmanager
def interrupted_when(is_due: Callable[[], bool]) -> Iterator[list[float]]:
    """Interrupt this process, as Ctrl-C does, as soon as something is so; yields when it was."""
    at: list[float] = []

    def watch() -> None:
        while not is_due():
            time.sleep(0.01)
        at.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=watch)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        yield at
    thread.join()


def steps_of(run_name: str, cancelled: int) -> tuple[UUID, Counter[StateType]]:
    """The id of the newest run of a name, and how many of its steps are in each state.

    The server takes states from events, so it may not know all steps when the run has ended.
    """
    named = FlowRunFilter(name=FlowRunFilterName(any_=[run_name]))
    with get_client(sync_client=True) as client:
        [run] = client.read_flow_runs(
            flow_run_filter=named, limit=1, sort=FlowRunSort.START_TIME_DESC
        )
        end = time.monotonic() + SECONDS
        while True:
            steps = client.read_task_runs(flow_run_filter=FlowRunFilter(id={"any_": [run.id]}))
            states = Counter(step.state_type for step in steps if step.state_type)
            known = states.keys() <= ENDED and states[StateType.CANCELLED] >= cancelled
            if known or time.monotonic() > end:
                return run.id, states
            time.sleep(0.05)


def test_a_run_that_waits_for_the_slot_of_others_is_stopped_at_once(
    world: World, limit: str
) -> None:
    age_progression(CHARACTER, ages=[25])

    with (
        Dispatcher() as other,
        holding(other, limit),
        interrupted_when(lambda: len(dispatcher.waiting(limit)) > 1) as began,
    ):
        age_progression(CHARACTER, ages=[25, 45, 65])
    seconds = time.monotonic() - began[0]

    run, states = steps_of("age-progression · Mira · 25–65", cancelled=2)
    assert seconds < SECONDS
    assert states[StateType.CANCELLED] >= 2  # at 45 and 65, each then enhanced
    assert states.keys() <= ENDED | WAITED
    sheet = next(a for a in artifacts_of(run) if str(a.key).endswith("contact-sheet"))
    assert "The run was stopped before this step" in str(sheet.data)
    history = world.character()["facefusion_processing_history"]
    assert all(entry["success"] for entry in history)


def test_a_long_run_that_is_stopped_shows_the_first_page_of_its_sheet(
    world: World, target: str
) -> None:
    with Image.open(target) as image:
        small = image.convert("RGB").resize((180, 144))
    given = [world.picture(f"{n}.png", ImageOps.expand(small, n)) for n in range(40)]
    ledger = world.database["facefusion_operations"]
    counts: list[int] = []

    def two_are_done() -> bool:
        counts.append(ledger.count_documents({}))
        return counts[-1] > 1

    with interrupted_when(two_are_done) as began:
        batch_process([{"type": "enhance"}], CHARACTER, pictures=given)
    seconds = time.monotonic() - began[0]

    run, _ = steps_of("batch-process · Mira · 40 pictures", cancelled=30)
    sheet = next(a for a in artifacts_of(run) if str(a.key).endswith("contact-sheet"))
    assert seconds < WORKERS_GRACE
    assert "page 1" not in str(sheet.data)
    # The one that the host works on is done or given up, and at most one more is begun.
    assert ledger.count_documents({}) <= counts[-1] + 2
    assert len(world.character()["facefusion_processing_history"]) == ledger.count_documents({})


def test_what_a_host_finishes_while_the_run_is_stopped_is_recorded(world: World) -> None:
    done = threading.Event()
    before = world.host.status().operations
    after_operations(world.host.url, before + 3, done.set)

    with interrupted_when(done.is_set):
        age_progression(CHARACTER, ages=[12, 16, 25, 45, 65])

    _, states = steps_of("age-progression · Mira · 12–65", cancelled=1)
    made = world.host.status().operations - before
    assert states[StateType.CANCELLED] > 0
    assert states.keys() <= ENDED | WAITED
    assert world.database["facefusion_operations"].count_documents({}) == made


@pytest.mark.parametrize("upwards", [True, False], ids=["upload", "download"])
def test_a_run_that_is_stopped_during_a_transfer_ends_soon_and_leaves_nothing_half_done(
    world: World, open_host: OpenHost, own_host: Callable[[str], str], upwards: bool
) -> None:
    host = open_host(OpenPreview())
    noisy = world.picture("noisy.png", noisy_portrait())
    with SlowLink(host.port, upwards=upwards, free_bytes=FREE_BYTES) as link:
        limit = own_host(link.url)

        with interrupted_when(link.reached.is_set) as began:
            one_age(noisy)
        seconds = time.monotonic() - began[0]

        assert seconds < SECONDS
        assert taken(limit) == 0
        wait_until(lambda: half_written(host.data_dir) == [])
        assert half_written(world.folder / "images") == []
        assert world.database["facefusion_operations"].count_documents(AGED) == 0

        link.is_slow = False
        report = one_age(noisy)

    assert [step.outcome for step in report.steps] == ["done"]
    assert host.status()["operations"] == 2, "the face is looked at once, and aged once"


def one_age(picture: str) -> FaceRunReport:
    return age_progression(
        CHARACTER, [25], picture, enhance=Choice.NONE, intermediates=Intermediates.NEVER
    )


def noisy_portrait() -> Image.Image:
    """A portrait of 6 MB as a PNG file."""
    with Image.open(PORTRAIT) as image:
        large = image.convert("RGB").resize((LARGE_SIDE, LARGE_SIDE))
    noise = Image.effect_noise(large.size, 40).convert("RGB")
    return Image.blend(large, noise, 0.15)


def half_written(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if PART_SUFFIX in path.name]


@pytest.mark.usefixtures("world")
def test_a_step_that_the_server_does_not_know_hides_no_reason_of_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(plan, "SETTLE_SECONDS", 0.0)
    unknown = {uuid4(): Cancelled()}
    plan_of_none = Plan(pictures=(), steps=())
    result = PlanResult(
        plan_of_none, {}, (), {}, interrupt=KeyboardInterrupt("stop"), cancelled=unknown
    )

    with pytest.raises(KeyboardInterrupt, match="stop"):
        end_interrupted(result)
