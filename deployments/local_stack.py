"""The whole system on this machine: MongoDB, Prefect with its UI, a face host and a worker."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

from blocks.environment import ConfigurationUnusable
from deployments.stack import (
    POOL,
    SERVICES,
    Stack,
    StackState,
    erase_state,
    read_state,
    stopped_services,
)
from deployments.story_database import chosen_database, complete_database
from storycanvas.net.atomic_files import exclusive_lock
from storycanvas.services.errors import ServiceError
from storycanvas.services.flow_runs import (
    crashed,
    end_run,
    idle_schedules,
    idle_sentence,
    missing_sentence,
    on_loopback,
    runs_in_progress,
    start_on_loopback,
    without_run,
)
from storycanvas.services.lost import end_lost, lost_services
from storycanvas.services.mongod import Mongod
from storycanvas.services.prefect import PrefectServer, PrefectWorker, prefect_environment
from storycanvas.services.shared import Outcome, find_running, stop_kept

ENDED_NAME = "Ended by make down"
ENDED = "The run was in progress at make down. Retry goes on with what is done."
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def exit_on_signal() -> Iterator[None]:
    """Turn signals that would end this process into `SystemExit`, as long as the context is open.

    Only the first one counts: a second Ctrl-C must not interrupt the ending of what was started.
    Outside the main thread, where Python takes no signals, nothing changes.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, _end) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _end(number: int, frame: FrameType | None) -> None:
    del frame
    for other in SIGNALS:
        signal.signal(other, signal.SIG_IGN)
    sys.exit(128 + number)


@contextmanager
def local_stack(state_dir: Path, *, show: Callable[[str], None] = print) -> Iterator[Stack]:
    """Have the whole system running; what `up` left running is used, and left running.

    Raises:
        ServiceError: Something does not start; everything that did is ended.
    """
    with exit_on_signal(), ExitStack() as ending:
        stack = Stack(state_dir, ending, show)
        stack.start()
        yield stack


def up(state_dir: Path) -> None:
    """Start the system and leave it running."""
    with _one_at_a_time(state_dir):
        state = read_state(state_dir)
        if state and not stopped_services(state, state_dir):
            _describe("It runs already.", state)
            _complete_database(state, state_dir)
            _start_standing(state_dir)
            return
        with local_stack(state_dir) as stack:
            state = stack.keep()
        _describe("It runs.", state)
        _start_standing(state_dir)


def _complete_database(state: StackState, state_dir: Path) -> None:
    """Create what the database of a stack that runs lacks, and tell it."""
    own = find_running(Mongod.name, state_dir) if Mongod.name in state.services else None
    url = own.url if own else os.environ.get("MONGO_URL")
    if url:
        for sentence in complete_database(url, chosen_database(url)):
            print(f"database: {sentence}", flush=True)


def _start_standing(state_dir: Path) -> None:
    """Start what stands and has no run; the demo and its like leave that out."""
    server = find_running(PrefectServer.name, state_dir)
    for sentence in start_on_loopback(server.url) if server else []:
        print(sentence, flush=True)


def down(state_dir: Path) -> None:
    """End what `up` started, except what another run still uses."""
    with _one_at_a_time(state_dir), exit_on_signal():
        outcomes = {PrefectWorker.name: stop_worker(state_dir)}
        others = [name for name in reversed(SERVICES) if name != PrefectWorker.name]
        outcomes |= {name: stop_kept(name, state_dir) for name in others}
        lost = end_lost(reversed(SERVICES), state_dir)
        erase_state(state_dir)
    met = {name: outcome for name, outcome in outcomes.items() if outcome != Outcome.NOT_RUNNING}
    for name, outcome in met.items():
        print(f"{name}: {outcome.value}")
    for name in lost:
        print(f"{name}, whose files were deleted: {Outcome.ENDED.value}")
    if not met and not lost:
        print(f"Nothing runs for {state_dir.resolve()}.")


def stop_worker(state_dir: Path, show: Callable[[str], None] = print) -> Outcome:
    """End the worker that `up` started and the runs that it has in progress, and name those.

    The server must still run: only it can note how a run ended.
    """
    server = find_running(PrefectServer.name, state_dir)
    before = runs_in_progress(server.url, POOL) if server else []
    outcome = stop_kept(PrefectWorker.name, state_dir)
    if server is None or outcome is Outcome.STILL_USED:
        return outcome
    # A process is known from the later look, if from any.
    runs = {run.id: run for run in [*before, *runs_in_progress(server.url, POOL)]}
    for run in runs.values():
        run.stop_process()  # the worker ends it, but for one whose worker was killed
        if end_run(server.url, run, crashed(ENDED, ENDED_NAME)):
            show(f"ended in mid-run: {run.name} (Retry goes on with what is done)")
    return outcome


def status(state_dir: Path) -> None:
    """Print what runs and where."""
    state = read_state(state_dir)
    lost = lost_services(SERVICES, state_dir)
    if lost:
        print(
            f"Running although their files in {state_dir.resolve()} were deleted: "
            f"{', '.join(lost)}. End them with: make down"
        )
    if state is None:
        if not lost:
            print(f"Nothing was left running in {state_dir.resolve()}. Start it with: make up")
        return
    stopped = stopped_services(state, state_dir)
    sentence = f"Not running any more: {', '.join(stopped)}. Start again with: make up"
    _describe(sentence if stopped else "It runs.", state)
    server = find_running(PrefectServer.name, state_dir)
    if server is None:
        return
    idle = idle_schedules(on_loopback(server.url), datetime.now(UTC))
    if idle:
        print(idle_sentence(idle))
    missing = without_run(on_loopback(server.url))
    if missing:
        print(missing_sentence(missing))


def demo(state_dir: Path) -> int:
    """Run both face flows on the sample character, with a stack of their own or the one that runs.

    The runs are a process of their own, because Prefect reads its environment when it is imported.
    """
    with local_stack(state_dir) as stack:
        settings = {**stack.environment, "STORYCANVAS_STATE": str(stack.state_dir)}
        own = prefect_environment(Path(stack.environment["PREFECT_HOME"]), settings)
        environment = {"PREFECT_LOGGING_LEVEL": "WARNING", **own}
        runs = [sys.executable, "-m", "deployments.demo"]
        return subprocess.run(runs, env=environment, check=False).returncode  # noqa: S603 - our own words


def report_errors(command: Callable[[], int | None]) -> int:
    """Run a command of the stack; what stops it is printed in one line, with the exit code 1."""
    try:
        return command() or 0
    except (ServiceError, ConfigurationUnusable, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    except SystemExit:
        print("Interrupted: what was started has been ended.", file=sys.stderr)
        raise


def _describe(sentence: str, state: StackState) -> None:
    print("\n".join([sentence, *state.lines(), "Stop it with: make down"]), flush=True)


@contextmanager
def _one_at_a_time(state_dir: Path) -> Iterator[None]:
    state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    with exclusive_lock(state_dir / "stack.lock"):
        yield
