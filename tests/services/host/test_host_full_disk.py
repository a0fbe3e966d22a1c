"""A disk that takes nothing is 503 `not_ready`, gives what is on it, and the status says it."""

import asyncio
import contextlib
import os
import resource
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import httpx
import pytest

from storycanvas.faces.contract import OperationStatus
from storycanvas.faces.errors import HostNotReady
from storycanvas.faces.operations import EnhanceOperation
from storycanvas.host import serving
from storycanvas.host.operations.progress import RunControl
from storycanvas.host.operations.records import OperationRecords
from storycanvas.host.operations.results import ResultStore
from storycanvas.host.operations.run import Request
from storycanvas.host.operations.runs import OperationRuns
from storycanvas.host.operations.work_queue import WorkQueue
from storycanvas.host.storage.assets import AssetStore
from storycanvas.host.storage.disk import refused_when_unwritable
from storycanvas.host.storage.outputs import Outputs
from tests.support.facefusion.checkouts import Checkout
from tests.support.facefusion.driven_host import DrivenHost
from tests.support.host.gated_engine import GatedEngine
from tests.support.host.pictures import encoded, numbered
from tests.support.host.started_host import RECORDING, StartedHost, StartHost, calls, wait_until
from tests.support.host.submitting import read, state_of, submit, submitted, until
from tests.support.host.threaded_host import OpenHost, ThreadedHost, code
from tests.support.small_disk import MEGABYTE, fill, read_only, small_disk

UNLIMITED = resource.RLIM_INFINITY


def limit_files(host: StartedHost, size: int) -> None:
    """Let the host write files of so many bytes at most, as on a disk that is nearly full."""
    resource.prlimit(host.process.pid, resource.RLIMIT_FSIZE, (size, UNLIMITED))


def assert_refused_for_now(answer: httpx.Response, reason: str = "--keep-gib") -> None:
    assert answer.status_code == 503, answer.text
    error = answer.json()["error"]
    assert (error["code"], error["retryable"]) == ("not_ready", True)
    assert "data folder (--data-dir)" in error["message"]
    assert "bytes are free" in error["message"]
    assert reason in error["message"]
    assert int(answer.headers["retry-after"]) > 0


def parts(folder: Path) -> list[Path]:
    return list(folder.rglob("*.part"))


def test_an_upload_to_a_full_disk_is_refused_for_now(start_host: StartHost, tmp_path: Path) -> None:
    host = start_host()
    limit_files(host, 100)
    assert_refused_for_now(host.client.post("assets", content=numbered(0)))
    assert_refused_for_now(host.client.post("assets", files={"file": numbered(0)}))
    assert [path for path in tmp_path.rglob("*") if path.suffix in {".part", ".png"}] == []
    limit_files(host, UNLIMITED)
    assert host.client.post("assets", content=numbered(0)).status_code == 200


@pytest.mark.parametrize("size", [50, 200], ids=["no room for the output", "none for the result"])
def test_an_operation_that_cannot_be_kept_can_be_asked_for_again(
    start_host: StartHost, tmp_path: Path, size: int
) -> None:
    host = start_host(program=(*RECORDING, str(tmp_path)))
    picture = host.upload(numbered(0))
    limit_files(host, size)
    assert_refused_for_now(host.enhance(picture))
    assert parts(tmp_path) == []
    limit_files(host, UNLIMITED)
    answer = host.enhance(picture).json()
    assert host.client.get(f"assets/{answer['output_path']}").status_code == 200


def test_a_full_device_is_a_refusal_with_a_remedy() -> None:
    with pytest.raises(HostNotReady, match="No space left"):  # noqa: SIM117
        with (
            refused_when_unwritable(Path("/dev")),
            Path("/dev/full").open("wb", buffering=0) as full,
        ):
            full.write(b"x")


def test_another_error_of_the_disk_stays_what_it_is(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), refused_when_unwritable(tmp_path):
        (tmp_path / "missing" / "file").write_bytes(b"x")


@pytest.fixture(scope="module")
def disk() -> Iterator[Path]:
    """A small disk; each test leaves room on it."""
    with small_disk(20) as folder:
        yield folder


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the engine records its calls, on another disk."""
    return tmp_path_factory.mktemp("engine")


@pytest.fixture(scope="module")
def host(disk: Path, engine: Path) -> Iterator[StartedHost]:
    """A host with its data on the small disk."""
    started = StartedHost(disk / "data", program=(*RECORDING, str(engine)))
    yield started
    started.end()


Unwritable = Callable[[Path], contextlib.AbstractContextManager[str]]
"""Makes a disk take nothing; gives a part of the remedy."""


@contextlib.contextmanager
def full(disk: Path) -> Iterator[str]:
    filler = fill(disk, leave=0)
    try:
        yield "free space on its disk"
    finally:
        filler.unlink()


@contextlib.contextmanager
def without_writing(disk: Path) -> Iterator[str]:
    with read_only(disk):
        yield "mount it so that it can be written"


@pytest.mark.parametrize("unwritable", [full, without_writing])
def test_a_disk_that_takes_nothing_is_read_and_told_and_recovers(
    host: StartedHost, disk: Path, engine: Path, unwritable: Unwritable
) -> None:
    picture = host.upload(encoded("JPEG"))
    key, another = f"{unwritable.__name__}-done", f"{unwritable.__name__}-another"
    done = host.enhance(picture, key).json()
    taken = until(host, submitted(host, picture).id, "succeeded")
    seen = calls(engine)
    with unwritable(disk) as remedy:
        assert_refused_for_now(host.client.post("assets", content=numbered(1)), remedy)
        assert_refused_for_now(host.enhance(picture, another), remedy)
        assert_refused_for_now(submit(host, picture, 40), remedy)
        assert calls(engine) == seen, "the engine worked for a result that cannot be kept"
        status = host.client.get("status")
        assert (status.status_code, status.json()["status"]) == (503, "failed")
        assert remedy in status.json()["reason"]
        assert str(disk) not in status.text
        assert read(host, taken.id) == taken
        assert host.client.get("operations").json()["operations"][0]["id"] == taken.id
        assert host.enhance(picture, key).json() == done
        for name in (picture, done["output_path"]):
            assert host.client.get(f"assets/{name}").status_code == 200
        assert "storycanvas_host_ready 0.0" in httpx.get(f"{host.url}/metrics").text
    assert host.client.get("status").json()["status"] == "ok"
    assert host.enhance(picture, another).status_code == 200
    assert str(disk / "data") in host.log(), "the log names the whole path"


def test_the_end_of_a_submitted_operation_is_told_although_it_cannot_be_written(
    host: StartedHost, disk: Path, engine: Path
) -> None:
    gate, seen = engine / "gate", calls(engine)
    os.mkfifo(gate)
    taken = submitted(host, host.upload(encoded("JPEG")), key="taken")
    wait_until(lambda: calls(engine) == seen + 1)
    filler = fill(disk, leave=0)
    with gate.open("wb"):
        gate.unlink()
    failed = until(host, taken.id, "failed")
    assert failed.error is not None
    assert (failed.error.code, failed.error.retryable) == ("not_ready", True)
    assert read(host, taken.id) == failed
    filler.unlink()
    assert read(host, taken.id) == failed
    assert '"ended":{' in (host.data_dir / "operations" / f"{taken.id}.json").read_text()


def test_an_output_that_would_not_fit_is_refused_before_the_engine_works(
    host: StartedHost, disk: Path, engine: Path
) -> None:
    large = host.upload(encoded("JPEG", size=(1000, 1000)))
    filler, seen = fill(disk, leave=2 * MEGABYTE), calls(engine)
    assert host.client.get("status").json()["status"] == "ok"
    assert_refused_for_now(host.enhance(large), "less than the 5,048,576 that are needed")
    assert calls(engine) == seen
    assert host.enhance(host.upload(encoded()), "small").status_code == 200
    filler.unlink()


def test_a_failure_of_facefusion_on_a_full_disk_is_one_of_the_disk(
    checkout: Checkout, disk: Path
) -> None:
    host = DrivenHost(checkout, disk / "facefusion")
    try:
        host.ready()
        picture = encoded("JPEG", size=(1000, 1000))
        name = host.upload(picture)
        filler = fill(disk, leave=5_500_000)  # its input fits, its own copy does not
        answer = host.http.post("enhance-face", json={"source_path": name})
        assert_refused_for_now(answer)
        filler.unlink()
        assert host.post(EnhanceOperation(), picture).status_code == 200
    finally:
        host.end()


def test_a_full_temporary_folder_is_named_when_a_form_does_not_fit(
    open_host: OpenHost, disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(disk))
    host = open_host()
    large = encoded("JPEG") + bytes(2 * MEGABYTE)
    with full(disk):
        refused = host.client.post("assets", files={"file": large})
    assert code(refused) == (503, "not_ready")
    assert "The host's temporary folder (TMPDIR) has no room, 0 of 20,971,520" in refused.text
    assert host.client.post("assets", files={"file": large}).status_code == 200


def test_a_full_published_folder_refuses_what_would_be_shown_there_and_nothing_else(
    open_host: OpenHost, disk: Path, tmp_path: Path
) -> None:
    (disk / "shown").mkdir()
    (tmp_path / "face.png").write_bytes(encoded())
    host = open_host(allow_roots=[tmp_path], publish=f"{disk / 'shown'}=/uploads/")
    by_path = str(tmp_path / "face.png")
    with full(disk):
        refused = host.age(by_path)
        assert code(refused) == (503, "not_ready")
        assert "published folder (--publish) has no room" in refused.text
        assert host.age(host.upload(encoded())).status_code == 200
    assert host.age(by_path).json()["output_path"].startswith("/uploads/")


def test_what_was_taken_waits_for_room_over_a_restart(
    disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "FETCH_SECONDS", 0.1)
    data, engine = disk / "taken", GatedEngine(gated=True)
    with ThreadedHost(engine, data) as host:
        picture = host.upload(encoded("JPEG"))
        _, *taken = [submitted(host, picture, age).id for age in (30, 40, 50, 60)]
        engine.began.get(timeout=30)
        host.stop()
        wait_until(lambda: state_of(host) == "stopping")
    filler = fill(disk, leave=0)
    with ThreadedHost(GatedEngine(), data) as host:
        assert [read(host, known).state for known in taken] == ["waiting"] * 3
    with ThreadedHost(GatedEngine(), data) as host:
        listed = host.client.get("operations", params={"state": "waiting"}).json()
        assert [known["id"] for known in listed["operations"]] == taken
        last = taken.pop()
        assert host.client.delete(f"operations/{last}").json()["state"] == "cancelled"
        assert_refused_for_now(submit(host, picture, 70))
        assert host.engine.calls == []
        filler.unlink()
        for operation in taken:
            until(host, operation, "succeeded")
        assert len(host.engine.calls) == 2


def test_what_waits_when_the_disk_fills_is_done_once_there_is_room(
    host: StartedHost, disk: Path, engine: Path
) -> None:
    gate, seen = engine / "gate", calls(engine)
    os.mkfifo(gate)
    picture = host.upload(encoded("JPEG"))
    running, *waiting = [submitted(host, picture, age).id for age in (31, 41, 51)]
    wait_until(lambda: calls(engine) == seen + 1 and read(host, waiting[0]).phase == "ready")
    filler = fill(disk, leave=0)
    with gate.open("wb"):
        gate.unlink()
    until(host, running, "failed")
    wait_until(lambda: read(host, waiting[0]).phase == "queued")
    assert [(read(host, known).state, read(host, known).place) for known in waiting] == [
        ("waiting", 1),
        ("waiting", 2),
    ]
    filler.unlink()
    for operation in waiting:
        until(host, operation, "succeeded")
    assert calls(engine) == seen + 3


def test_no_submission_of_a_key_is_taken_whose_record_the_disk_refuses(disk: Path) -> None:
    folder = disk / "records"
    queue = WorkQueue(slots=1, queue=2, operation_seconds=60)
    records = OperationRecords(folder)
    outputs = Outputs(AssetStore(disk / "outputs", 10**6))
    runs = OperationRuns(ResultStore(disk / "results"), records, outputs, queue, 60, lambda _: None)

    async def apply(control: RunControl) -> str:
        with queue.place() as control.ticket:
            control.admitted.set()
            await asyncio.Event().wait()
        raise AssertionError

    def submission() -> Awaitable[OperationStatus]:
        return runs.submit(Request("enhance-face", "same", apply, "shared"))

    async def submissions() -> list[OperationStatus | BaseException]:
        return list(await asyncio.gather(submission(), submission(), return_exceptions=True))

    async def joined() -> list[object]:
        waiting = runs.answer(Request("enhance-face", "same", apply, "shared"))
        return list(await asyncio.gather(submission(), waiting, return_exceptions=True))

    async def with_a_full_disk_and_after() -> None:
        with full(disk):
            for refused in [*await submissions(), *await joined()]:
                assert isinstance(refused, HostNotReady), refused
                assert "has no room" in str(refused)
        first, second = await submissions()
        assert isinstance(first, OperationStatus)
        assert isinstance(second, OperationStatus)
        assert first.id == second.id
        assert records.find(first.id, "")
        await runs.cancel(first.id, "")

    asyncio.run(with_a_full_disk_and_after())
