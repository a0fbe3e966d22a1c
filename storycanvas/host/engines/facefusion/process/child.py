"""A process of FaceFusion's own Python: started without secrets, ended with all its children."""

import json
import os
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import psutil

from storycanvas.host.storage.disk import refused_when_unwritable, remove_parts
from storycanvas.net.atomic_files import write_atomically

_END_SECONDS = 10.0


@dataclass(frozen=True)
class ProcessConfig:
    """Where and how FaceFusion's processes run.

    Attributes:
        python: FaceFusion's own interpreter.
        home: The checkout, their working directory.
        environment: All they see of the environment.
        pids: Folder with a note on each living process.
    """

    python: Path
    home: Path
    environment: dict[str, str]
    pids: Path


class Child:
    """One process; its standard input is a pipe that closes when the host ends."""

    def __init__(self, arguments: Sequence[str], where: ProcessConfig) -> None:
        where.pids.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._process = subprocess.Popen(  # noqa: S603 - no shell, and paths of the operator's
            [str(where.python), *arguments],
            cwd=where.home,
            env=where.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
            # A Ctrl-C in the host's terminal must not reach an operation that may still end.
            start_new_session=os.name == "posix",
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )
        self._note = where.pids / f"{self._process.pid}.json"
        try:
            with refused_when_unwritable(where.pids):
                write_atomically(self._note, json.dumps({"began": self._began()}).encode())
        except Exception:
            self.end()  # a process without a note would outlive a host that is killed
            self.forget()
            self.log_stream.close()
            raise

    @property
    def pid(self) -> int:
        """The id of the process."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it lives."""
        return self._process.poll()

    @property
    def requests(self) -> IO[str]:
        """Its standard input."""
        return _open(self._process.stdin)

    @property
    def answers(self) -> IO[str]:
        """Its standard output."""
        return _open(self._process.stdout)

    @property
    def log_stream(self) -> IO[str]:
        """Its standard error."""
        return _open(self._process.stderr)

    def memory_bytes(self) -> int:
        """Return its resident memory; 0 once it has ended."""
        try:
            return int(psutil.Process(self.pid).memory_info().rss)
        except psutil.NoSuchProcess:
            return 0

    def wait(self, seconds: float) -> int | None:
        """Wait for its end; return its exit code, or None if it still runs."""
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def end(self) -> None:
        """Kill it and its children, and wait until they are gone."""
        for member in _family(self.pid):
            _kill(member)
        self._process.kill()
        self._process.wait(_END_SECONDS)

    def forget(self) -> None:
        """Close the pipes and remove the note of an ended process whose output is read."""
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                _close(stream)
        self._note.unlink(missing_ok=True)

    def _began(self) -> float:
        try:
            return psutil.Process(self.pid).create_time()
        except psutil.NoSuchProcess:
            return 0.0


def end_leftovers(pids: Path) -> int:
    """Kill the noted processes that a killed host left behind, and return how many lived.

    Two hosts' processes would otherwise work on one GPU.
    """
    ended = 0
    for note in sorted(pids.glob("*.json")):
        process = _noted(note)
        if process is not None:
            for member in (*_family(process.pid), process):
                _kill(member)
            psutil.wait_procs([process], _END_SECONDS)
            ended += 1
        note.unlink(missing_ok=True)
    remove_parts(pids)
    return ended


def _noted(note: Path) -> psutil.Process | None:
    """Find a noted process, unless its id was given to another process since."""
    try:
        began = float(json.loads(note.read_bytes())["began"])
        process = psutil.Process(int(note.stem))
        same = abs(process.create_time() - began) < 1.0
    except (ValueError, KeyError, TypeError, psutil.NoSuchProcess):
        return None
    return process if same else None


def _family(pid: int) -> Iterator[psutil.Process]:
    try:
        yield from psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return


def _kill(process: psutil.Process) -> None:
    try:
        process.kill()
    except psutil.NoSuchProcess:
        return


def _close(stream: IO[str]) -> None:
    try:
        stream.close()
    except OSError:  # what was still to be written to a process that is gone
        return


def _open(stream: IO[str] | None) -> IO[str]:
    if stream is None:  # all three are pipes
        raise RuntimeError("the process has no such stream")
    return stream
