"""Measure how late runs start while a drain stands at work, and while the only face host is away.

    python -m tests.system.lateness [--minutes 5] [--most 90]

A stack of its own, as `make up` starts it, with its standing drain: a job every five seconds, a run
of `process-jobs` every minute, and `check-hosts` every 30 seconds. After the minutes the host is
killed, and after as many more it is started again. The exit code is 1 when a run of one of these
flows was later than `--most` seconds, or when a job was not done. Checks that are due while one is
in progress are cancelled, as their deployment wants it, and counted.
"""

import argparse
import os
import signal
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import FlowFilter, FlowFilterName
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.settings import PREFECT_API_URL, temporary_settings

from blocks import ImageStoreBlock
from db.connection import connect
from db.connection_string import DEFAULT_NAME
from deployments.sample import TARGET
from storycanvas.faces.pictures.image_store import Category
from storycanvas.services.shared import find_running
from tests.support.db.database_state import Data
from tests.system.test_local_stack import NAMED, command

FLOWS = ("process-jobs", "check-hosts")
JOB_SECONDS, DRAIN_SECONDS, LOOK_SECONDS = 5.0, 60.0, 2.0
END_SECONDS = 600.0
QUEUE = "facefusion_jobs"
AT_WORK, AWAY = "a drain stands at work", "the host is away"


@dataclass
class Lateness:
    """How late runs started, or how long they have waited so far.

    Attributes:
        seconds: By what went on when a run was due and its flow, by run.
        cancelled: Runs that were not started because another one was in progress.
    """

    seconds: dict[tuple[str, str], dict[UUID, float]] = field(
        default_factory=lambda: defaultdict(dict)
    )
    cancelled: set[UUID] = field(default_factory=set)

    def add(self, phase: str, flow: str, run: FlowRun) -> None:
        """Note a run; one that was due in an earlier phase stays there."""
        due, now = run.expected_start_time, datetime.now(UTC)
        if due is None or due > now:
            return
        if run.state_type is StateType.CANCELLED:
            self.cancelled.add(run.id)
        for (_, other), known in self.seconds.items():
            if other == flow and run.id in known:
                known[run.id] = ((run.start_time or now) - due).total_seconds()
                return
        self.seconds[phase, flow][run.id] = ((run.start_time or now) - due).total_seconds()

    def lines(self) -> Iterator[str]:
        """Write a line for each phase and flow."""
        for (phase, flow), found in self.seconds.items():
            worst, usual = max(found.values()), sorted(found.values())[len(found) // 2]
            yield f"{phase}: {len(found)} runs of {flow}, {usual:.0f} s late, the worst {worst:.0f}"

    @property
    def worst(self) -> float:
        """Seconds of the run that was latest."""
        return max(max(found.values()) for found in self.seconds.values())


def insert_job(database: Data, picture: str, number: int) -> None:
    """Ask for a picture that was not made yet."""
    values = {"image_url": picture, "face_enhancer_blend": number / 10_000}
    database[QUEUE].insert_one(
        {
            "id": f"job {number}",
            "status": "queued",
            "job_type": "enhance",
            "input_data": values,
            "created_at": datetime.now(UTC),
        }
    )


def watch(client: SyncPrefectClient, database: Data, picture: str, minutes: float) -> Lateness:
    """Bring jobs and runs in both phases, and note how late the runs are."""
    found = Lateness()
    deployments = {each.name: each for each in client.read_deployments()}
    [often] = deployments["check-hosts-often"].schedules
    client.update_deployment_schedule(deployments["check-hosts-often"].id, often.id, active=True)
    drain = deployments["process-jobs"].id
    began, next_job, next_drain = time.monotonic(), 0.0, 0.0
    jobs, is_up = 0, True
    while (passed := time.monotonic() - began) < 2 * minutes * 60:
        if is_up and passed >= minutes * 60:
            kill_host(Path(os.environ["STORYCANVAS_STATE"]))
            is_up = False
        if passed >= next_job:
            next_job, jobs = passed + JOB_SECONDS, jobs + 1
            insert_job(database, picture, jobs)
        if passed >= next_drain:
            next_drain = passed + DRAIN_SECONDS
            client.create_flow_run_from_deployment(drain, parameters={"wait_seconds": 5})
        look(client, found, AT_WORK if is_up else AWAY)
        time.sleep(LOOK_SECONDS)
    return found


def look(client: SyncPrefectClient, found: Lateness, phase: str) -> None:
    """Note all runs of the flows that are there."""
    for flow in FLOWS:
        for run in client.read_flow_runs(flow_filter=FlowFilter(name=FlowFilterName(any_=[flow]))):
            found.add(phase, flow, run)


def kill_host(state_dir: Path) -> None:
    """Kill the face host as a power cut would."""
    host = find_running("face_host", state_dir)
    assert host
    os.kill(host.pid, signal.SIGKILL)


def not_done(database: Data) -> int:
    """Count the jobs that are not done, as soon as none changes any more."""
    end = time.monotonic() + END_SECONDS
    while (left := database[QUEUE].count_documents({"status": {"$ne": "completed"}})) > 0:
        if time.monotonic() > end:
            break
        time.sleep(LOOK_SECONDS)
    return left


@contextmanager
def stack(folder: Path) -> Iterator[Path]:
    """Start a stack, and end it in the end."""
    for variable in NAMED:
        os.environ.pop(variable, None)
    os.environ["STORYCANVAS_STATE"] = str(folder)
    up = command("up", folder)
    try:
        assert up.returncode == 0, up.stderr
        yield folder
    finally:
        command("down", folder)


def main() -> int:
    """Run it and print how late the runs were."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.system.lateness", description=__doc__.split("\n", maxsplit=1)[0]
    )
    parser.add_argument("--minutes", type=float, default=5.0, help="of each phase")
    parser.add_argument("--most", type=float, default=90.0, help="seconds that a run may be late")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, stack(Path(name) / "state") as folder:
        server, mongod = (find_running(each, folder) for each in ("prefect_server", "mongod"))
        assert server
        assert mongod
        store = ImageStoreBlock(url=(folder / "images").as_uri()).open()
        picture = store.put(TARGET.read_bytes(), Category.SOURCE, "jpg", datetime.now(UTC)).url
        database = connect(mongod.url, DEFAULT_NAME)
        with (
            temporary_settings({PREFECT_API_URL: server.url}),
            get_client(sync_client=True) as client,
        ):
            found = watch(client, database, picture, options.minutes)
            paused = [queue.name for queue in client.read_work_queues() if queue.is_paused]
        assert command("up", folder).returncode == 0
        left, jobs = not_done(database), database[QUEUE].count_documents({})
        database.client.close()
    for line in found.lines():
        print(line)
    print(
        f"{len(found.cancelled)} runs cancelled; paused in the end: {', '.join(paused) or 'none'}"
    )
    print(f"{jobs} jobs, {left} of them not done after the host was back")
    return int(found.worst > options.most or left > 0)


if __name__ == "__main__":
    sys.exit(main())
