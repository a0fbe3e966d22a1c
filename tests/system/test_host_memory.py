import asyncio
import gc
import tracemalloc
from collections.abc import Callable
from functools import partial
from pathlib import Path

from storycanvas.faces.pictures.reading import read_picture
from storycanvas.host.operations.progress import RunControl
from storycanvas.host.operations.records import OperationRecords
from storycanvas.host.operations.results import ResultStore
from storycanvas.host.operations.run import Request
from storycanvas.host.operations.runs import OperationRuns
from storycanvas.host.operations.work_queue import WorkQueue
from storycanvas.host.storage.assets import AssetStore
from tests.support.host.pictures import SIZE, numbered, stored

FEW = 200
MANY = 1000
LARGEST_GROWTH = 20 * MANY
"""Bytes; one entry of a table for each further request needs several times as many."""
ANSWER = (
    '{"processing_time_seconds": 1, "engine": "e", "engine_version": "1", '
    '"completed_at": "2026-11-21T12:00:00Z"}'
)
OURS = [tracemalloc.Filter(inclusive=True, filename_pattern="*/host/*")]
"""The host's modules and this one; other tests' threads grow and shrink as they like."""


def grown(work: Callable[[int], object]) -> int:
    """Bytes that many more requests leave behind."""
    for number in range(FEW):
        work(number)
    gc.collect()
    tracemalloc.start()
    for number in range(FEW, FEW + MANY):
        work(number)
    gc.collect()
    kept = tracemalloc.take_snapshot().filter_traces(OURS)
    tracemalloc.stop()
    return sum(statistic.size for statistic in kept.statistics("filename"))


def test_operations_leave_nothing_behind_in_memory(tmp_path: Path) -> None:
    assets = AssetStore(tmp_path / "assets", 10**6)
    queue = WorkQueue(slots=1, queue=1, operation_seconds=60)
    results, records = ResultStore(tmp_path / "results"), OperationRecords(tmp_path / "operations")
    runs = OperationRuns(results, records, assets, queue, 60, lambda _: None)

    async def apply(control: RunControl) -> str:
        with queue.place() as control.ticket:
            begun = partial(control.progress.enter, "engine")
            return await queue.run(control.ticket, lambda: ANSWER, begun)

    def ask(number: int) -> str:
        return runner.run(runs.answer(Request("detect-faces", "same", apply, f"key-{number}")))

    with asyncio.Runner() as runner:
        assert grown(ask) < LARGEST_GROWTH


def test_pictures_that_went_leave_nothing_behind_in_memory(tmp_path: Path) -> None:
    store = AssetStore(tmp_path, 5 * SIZE)

    def come_and_go(number: int) -> None:
        stored(store, number)
        store.fetched(store.add(read_picture(numbered(number), "output")))

    assert grown(come_and_go) < LARGEST_GROWTH
