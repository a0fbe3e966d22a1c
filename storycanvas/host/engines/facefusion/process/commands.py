"""Runs a command that should end within seconds, and kills it when it does not."""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Ended:
    """How a command ended.

    Attributes:
        status: Its exit status.
        output: What it wrote to standard output.
        errors: What it wrote to standard error.
    """

    status: int
    output: str
    errors: str


def run_short_command(
    command: Sequence[str], folder: Path, environment: Mapping[str, str], seconds: float
) -> Ended:
    """Run a command without a shell and without input.

    Args:
        command: A program's path and its arguments.
        folder: Its working directory.
        environment: All of its environment.
        seconds: When it takes longer it is killed; on POSIX with all that it started, which would
            else keep its output open.

    Raises:
        OSError: It cannot be started.
        TimeoutError: It took longer.
    """
    process = subprocess.Popen(  # noqa: S603 - a program that the operator names
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        errors="replace",
        start_new_session=True,
    )
    with process:
        try:
            output, errors = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired as error:
            raise TimeoutError(f"{command[0]} did not end within {seconds:g} s") from error
        finally:
            if process.returncode is None:  # not waited for, so its id is still its own
                _end(process)
    return Ended(process.returncode, output, errors)


def _end(process: subprocess.Popen[str]) -> None:
    if os.name == "posix":
        os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
