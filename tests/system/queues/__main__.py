"""Kill drains that work on jobs of all types, and check that nothing is lost or done twice.

    python -m tests.system.queues [--jobs 200] [--drains 4] [--kills 10] [--seed 8]

Real database, Prefect server, two hosts with the preview engine, and each drain a process of its
own; a killed one is replaced at once. Its jobs wait for the end of their leases, so the whole takes
about ten minutes. The exit code is 1 when a job does not end, a failure does not tell why, the
hosts did more operations than the ledger has, or a history or gallery holds a result twice.
"""

import argparse
import os
import sys
import tempfile
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.job_drain import insert, write_pictures
from benchmarks.whole_run import DATABASE, services
from blocks.face_host import FaceHost as FaceHostBlock
from blocks.limits import create_limit
from db.connection import connect
from db.setup.apply import initialise
from storycanvas.faces.pictures.image_store import Category, ImageStore
from storycanvas.services.shared import acquire
from tests.support.flows.hosts import OddHost
from tests.support.flows.queue_chaos import Outcome, jobs_of_all_types, kill_drains, outcome
from tests.support.flows.runs import start_run

PICTURES, HOSTS = 20, 2
CHARACTERS = ("ann", "ben")
END_SECONDS = 1800.0


def fill(folder: Path, count: int) -> None:
    """Insert characters and jobs."""
    database = connect(os.environ["MONGO_URL"], DATABASE)
    initialise(database)
    database["characters"].insert_many(
        {"id": name, "name": name.title(), "project_id": "p"} for name in CHARACTERS
    )
    store, now = ImageStore(os.environ["IMAGE_STORE"]), datetime.now(UTC)
    paths = write_pictures(folder / "pictures", PICTURES)
    urls = [store.put(path.read_bytes(), Category.SOURCE, "png", now).url for path in paths]
    insert(database, jobs_of_all_types(urls, CHARACTERS, count))


def run(folder: Path, options: argparse.Namespace) -> tuple[Outcome, bool]:
    """Have all jobs done, with kills on the way."""
    with ExitStack() as hosts:
        urls = [
            hosts.enter_context(acquire(OddHost("slow"), folder / f"host{number}")).url
            for number in range(HOSTS)
        ]
        os.environ["FACEFUSION_URL"] = ",".join(urls)
        for url in urls:
            create_limit(FaceHostBlock(url=url).limit_name, 1)
        fill(folder, options.jobs)
        database, prefect_url = connect(os.environ["MONGO_URL"], DATABASE), options.prefect_url
        ended = kill_drains(
            database,
            lambda: start_run(prefect_url, "process-jobs", run_minutes=60, wait_seconds=None),
            drains=options.drains,
            kills=options.kills,
            seed=options.seed,
            seconds=END_SECONDS,
        )
        return outcome(database, urls), ended


def main() -> int:
    """Run it and print what became of the jobs."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.system.queues", description=__doc__.split("\n", maxsplit=1)[0]
    )
    parser.add_argument("--jobs", type=int, default=200, help="how many, of all types")
    parser.add_argument("--drains", type=int, default=4, help="processes at one time")
    parser.add_argument("--kills", type=int, default=10, help="how many processes are killed")
    parser.add_argument("--seed", type=int, default=8, help="which are killed, and when")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, services(Path(name)) as prefect_url:
        options.prefect_url = prefect_url
        started = time.monotonic()
        found, ended = run(Path(name), options)
    counts = ", ".join(f"{count} {status}" for status, count in found.statuses.items())
    print(f"{options.jobs} jobs, {options.drains} drains, {options.kills} kills:")
    print(f"  {counts}, {found.used_up} of them after three kills")
    print(f"  {found.operations} operations done by the hosts, {found.recorded} in the ledger")
    print(f"  {time.monotonic() - started:.0f} s")
    for fault in found.faults:
        print(f"  {fault}")
    return int(not ended or bool(found.faults) or found.operations != found.recorded)


if __name__ == "__main__":
    sys.exit(main())
