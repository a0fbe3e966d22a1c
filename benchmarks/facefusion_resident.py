"""A resident FaceFusion process against a process for each operation, side by side.

    FACEFUSION_HOME=… FACEFUSION_PYTHON=… python -m benchmarks.facefusion_resident [operations]

Both modes go through HTTP to hosts of their own; bare `headless-run`s of FaceFusion with the same
options are measured beside them. Every picture of the resident process has to equal that of the
isolated process. The checkout may hold real weights or small stand-ins.
"""

import os
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from benchmarks.mixed_operations import Load, mixed_operations
from storycanvas.faces.client.host_client import FaceHostClient
from storycanvas.faces.contract import OperationAnswer
from storycanvas.faces.operations import AgeAdjustOperation
from storycanvas.faces.pictures.reading import Picture
from storycanvas.host.engines.facefusion.translation.operation import translate

OPERATIONS = 100
WORKER = "worker.py"
EARLY = 20
"""Operations after which memory is looked at first: all models are loaded by then."""


Result = Picture | str


@dataclass
class MeasuredHost:
    """A host, and the seconds of its operations; `measured` has those of engine and measuring."""

    client: FaceHostClient
    process: subprocess.Popen[bytes]
    seconds: list[float] = field(default_factory=list)
    measured: list[tuple[float, float]] = field(default_factory=list)

    def operate(self, load: Load) -> Result:
        """Perform an operation; return its picture, or the faces found as text."""
        assets = [self.client.upload(picture) for picture in load.pictures]
        began = time.perf_counter()
        answer = self.client.operate(load.operation, assets, uuid.uuid4().hex)
        self.seconds.append(time.perf_counter() - began)
        if answer.likeness is not None and answer.phases is not None:
            self.measured.append((answer.phases.engine, answer.phases.measure))
        return self._result(answer)

    def _result(self, answer: OperationAnswer) -> Result:
        if answer.output_path is None:
            return str([(face.x, face.y, face.estimated_age) for face in answer.faces or ()])
        return self.client.download(answer.output_path)

    def worker_megabytes(self) -> float:
        """Return the resident memory of the worker."""
        children = psutil.Process(self.process.pid).children(recursive=True)
        workers = [child for child in children if any(WORKER in word for word in child.cmdline())]
        return float(sum(worker.memory_info().rss for worker in workers)) / 1e6


@contextmanager
def host(folder: Path, *options: str) -> Iterator[MeasuredHost]:
    """Start a host with the engine `facefusion` on a free port of loopback."""
    arguments = ["--engine", "facefusion", "--port", "0", "--data-dir", str(folder), *options]
    log = folder.with_suffix(".log")
    with log.open("w") as file:
        process = subprocess.Popen(  # noqa: S603 - this project's own program
            [sys.executable, "-m", "storycanvas.host", *arguments], stderr=file
        )
    try:
        with FaceHostClient(_address(process, log)) as client:
            yield MeasuredHost(client, process)
    finally:
        process.terminate()
        process.wait(60)


def _address(process: subprocess.Popen[bytes], log: Path) -> str:
    while process.poll() is None:
        found = re.search(r"listening on (\S+)", log.read_text())
        if found:
            return found[1]
        time.sleep(0.1)
    raise SystemExit(f"the host did not start: {log.read_text()}")


def bare_run(folder: Path, load: Load) -> float:
    """Time a plain `headless-run` of FaceFusion with the operation's options, in seconds."""
    own = folder / uuid.uuid4().hex
    own.mkdir()
    files = [own / f"{index}.png" for index, _ in enumerate(load.pictures)]
    for file, picture in zip(files, load.pictures, strict=True):
        file.write_bytes(picture.png)
    ages = isinstance(load.operation, AgeAdjustOperation)
    argv = ["facefusion.py", "headless-run"]
    argv += translate(load.operation, direction=20 if ages else None).arguments
    argv += ["--source-paths", str(files[0])] if len(files) > 1 else []
    argv += ["--target-path", str(files[-1]), "--output-path", str(own / "output.png")]
    argv += ["--temp-path", str(own), "--jobs-path", str(own / "jobs")]
    began = time.perf_counter()
    subprocess.run(  # noqa: S603 - the operator's own FaceFusion
        [os.environ["FACEFUSION_PYTHON"], *argv],
        cwd=os.environ["FACEFUSION_HOME"],
        env=os.environ | {"HTTPS_PROXY": "http://127.0.0.1:9"},  # it would ask for weights
        check=True,
        capture_output=True,
    )
    return time.perf_counter() - began


def main(operations: int = OPERATIONS) -> int:
    """Measure and print; the exit code is 0 if every result was right."""
    loads = mixed_operations()
    order = random.Random(8).choices(loads, k=operations)  # noqa: S311 - a load, no secret
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        isolated_host = host(folder / "isolated", "--isolated")
        with host(folder / "resident") as resident, isolated_host as isolated:
            expected = {load.name: isolated.operate(load) for load in loads}
            bare = [bare_run(folder, load) for load in loads]
            wrong, early = [], 0.0
            for index, load in enumerate(order):
                if resident.operate(load) != expected[load.name]:
                    wrong.append(load.name)
                if index == EARLY:
                    early = resident.worker_megabytes()
            late = resident.worker_megabytes()
    _report(resident.seconds, isolated.seconds, bare)
    _report_measuring(resident.measured)
    print(f"memory of the resident process: {early:.0f} MB, then {late:.0f} MB")
    print(f"wrong results: {len(wrong)} of {operations} {sorted(set(wrong))}")
    return 1 if wrong else 0


def _report_measuring(measured: list[tuple[float, float]]) -> None:
    engine, measuring = (statistics.mean(seconds) for seconds in zip(*measured, strict=True))
    share = statistics.median(after / worked for worked, after in measured)
    print(f"measuring the likeness of {len(measured)}: {measuring:.3f} s each after {engine:.3f} s")
    print(f"of the engine's time it is {share:.2f} (median)")


def _report(resident: list[float], isolated: list[float], bare: list[float]) -> None:
    resident_mean = statistics.mean(resident)
    print(f"{len(resident)} operations in a resident process: {resident_mean:.3f} s each")
    for name, seconds in (("a process for each operation", isolated), ("bare headless-run", bare)):
        mean = statistics.mean(seconds)
        print(f"{len(seconds)} x {name}: {mean:.3f} s each, {resident_mean / mean:.3f} of it")


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
