"""The whole system on this machine: MongoDB, Prefect with its UI, a face host and a worker.

By hand: `python -m deployments.local_stack up | down | status`, or `make up` and `make down`.
"""

import argparse
import fcntl
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from deployments.orderly_end import exit_on_signal
from deployments.stack import SERVICES, Stack
from deployments.stack_note import StackState, erase_note, read_note, stopped_services
from storycanvas.services.errors import ServiceError
from storycanvas.services.shared import Outcome, stop_kept

STATE_DIR = Path(".storycanvas")


@contextmanager
def local_stack(
    state_dir: Path = STATE_DIR, *, say: Callable[[str], None] = print
) -> Iterator[Stack]:
    """Have the whole system running; what `up` left running is used, and left running.

    Args:
        state_dir: Where all its files lie.
        say: Takes a line for each step.

    Yields:
        The running system, with the `environment` that leads to it.

    Raises:
        ServiceError: Something does not start; everything that did is ended.
    """
    with exit_on_signal(), ExitStack() as ending:
        stack = Stack(state_dir, ending, say)
        stack.start()
        yield stack


def up(state_dir: Path) -> None:
    """Start the system and leave it running.

    Args:
        state_dir: Where all its files lie.

    Raises:
        ServiceError: Something does not start; everything that did is ended.
    """
    with _one_at_a_time(state_dir):
        note = read_note(state_dir)
        if note and not stopped_services(note, state_dir):
            _describe("It runs already.", note)
            return
        with local_stack(state_dir) as stack:
            note = stack.keep()
        _describe("It runs.", note)


def down(state_dir: Path) -> None:
    """End what `up` started, except what another run still uses.

    Args:
        state_dir: Where all its files lie.
    """
    with _one_at_a_time(state_dir), exit_on_signal():
        outcomes = {name: stop_kept(name, state_dir) for name in reversed(SERVICES)}
        erase_note(state_dir)
    met = {name: outcome for name, outcome in outcomes.items() if outcome != Outcome.NOT_RUNNING}
    for name, outcome in met.items():
        print(f"{name}: {outcome.value}")
    if not met:
        print(f"Nothing runs for {state_dir.resolve()}.")


def status(state_dir: Path) -> None:
    """Tell what runs and where.

    Args:
        state_dir: Where all its files lie.
    """
    note = read_note(state_dir)
    if note is None:
        print(f"Nothing was left running in {state_dir.resolve()}. Start it with: make up")
        return
    stopped = stopped_services(note, state_dir)
    state = f"Not running any more: {', '.join(stopped)}. Start again with: make up"
    _describe(state if stopped else "It runs.", note)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        argv: Arguments; the process's own when None.

    Returns:
        Exit code.
    """
    commands = {"up": up, "down": down, "status": status}
    parser = argparse.ArgumentParser(prog="python -m deployments.local_stack", description=__doc__)
    parser.add_argument("command", choices=commands)
    parser.add_argument("--state-dir", type=Path, default=STATE_DIR, help="where its files lie")
    arguments = parser.parse_args(argv)
    try:
        commands[arguments.command](arguments.state_dir)
    except (ServiceError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    except SystemExit:
        print("Interrupted: what was started has been ended.", file=sys.stderr)
        raise
    return 0


def _describe(state: str, note: StackState) -> None:
    print("\n".join([state, *note.lines(), "Stop it with: make down"]), flush=True)


@contextmanager
def _one_at_a_time(state_dir: Path) -> Iterator[None]:
    state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (state_dir / "stack.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    sys.exit(main())
