"""A FaceFusion process that stays beside one started for every run, in one run on one machine.

    FACEFUSION_HOME=… FACEFUSION_PYTHON=… python -m benchmarks.facefusion_resident [operations]

Both ways go through HTTP to hosts of their own, interleaved; a bare `headless-run` of FaceFusion
is measured beside them. Every result of the process that stays has to be the very picture that
the other way makes. The checkout may hold real weights or small stand-ins.
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
from faces.client import FaceHostClient
from faces.contract import OperationAnswer

OPERATIONS = 100
WORKER = "worker.py"
EARLY = 20
"""Operations after which memory is looked at first: all models are loaded by then."""


@dataclass
class Way:
    """A host that drives FaceFusion in one way, and what it took."""

    client: FaceHostClient
    process: subprocess.Popen[bytes]
    seconds: list[float] = field(default_factory=list)

    def carry_out(self, load: Load) -> str:
        """Have an operation done and tell its result: a pixel hash, or what was found."""
        assets = [self.client.upload(picture) for picture in load.pictures]
        began = time.perf_counter()
        answer = self.client.operate(load.operation, assets, uuid.uuid4().hex)
        self.seconds.append(time.perf_counter() - began)
        return self._result(answer)

    def _result(self, answer: OperationAnswer) -> str:
        if answer.output_path is None:
            return str([(face.x, face.y, face.estimated_age) for face in answer.faces or ()])
        return self.client.download(answer.output_path).sha256

    def worker_megabytes(self) -> float:
        """Weigh the process that stays."""
        children = psutil.Process(self.process.pid).children(recursive=True)
        workers = [child for child in children if any(WORKER in word for word in child.cmdline())]
        return float(sum(worker.memory_info().rss for worker in workers)) / 1e6


@contextmanager
def host(folder: Path, *options: str) -> Iterator[Way]:
    """Start a host with the engine `facefusion` on a free port of loopback."""
    arguments = ["--engine", "facefusion", "--port", "0", "--data-dir", str(folder), *options]
    log = folder.with_suffix(".log")
    with log.open("w") as file:
        process = subprocess.Popen(  # noqa: S603 - this project's own program
            [sys.executable, "-m", "host", *arguments], stderr=file
        )
    try:
        with FaceHostClient(_address(process, log)) as client:
            yield Way(client, process)
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
    """Time one plain `headless-run` of FaceFusion over the picture, in seconds."""
    home = Path(os.environ["FACEFUSION_HOME"])
    own = folder / uuid.uuid4().hex
    own.mkdir()
    target = own / "target.png"
    target.write_bytes(load.pictures[-1].png)
    argv = ["facefusion.py", "headless-run", "--processors", "face_enhancer"]
    argv += ["--face-selector-mode", "many", "--target-path", str(target)]
    argv += ["--output-path", str(own / "output.png"), "--temp-path", str(own)]
    argv += ["--jobs-path", str(own / "jobs")]
    began = time.perf_counter()
    subprocess.run(  # noqa: S603 - the operator's own FaceFusion
        [os.environ["FACEFUSION_PYTHON"], *argv],
        cwd=home,
        env=os.environ | {"HTTPS_PROXY": "http://127.0.0.1:9"},  # it would ask for weights
        check=True,
        capture_output=True,
    )
    return time.perf_counter() - began


def main(operations: int = OPERATIONS) -> int:
    """Measure, print, and tell by the exit code whether every result was right."""
    loads = mixed_operations()
    order = random.Random(8).choices(loads, k=operations)  # noqa: S311 - a load, no secret
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        staying = host(folder / "resident")
        with staying as resident, host(folder / "cold", "--command-line-only") as cold:
            expected = {load.name: cold.carry_out(load) for load in loads}
            bare = [bare_run(folder, load) for load in loads[:10]]
            wrong, early = [], 0.0
            for index, load in enumerate(order):
                if resident.carry_out(load) != expected[load.name]:
                    wrong.append(load.name)
                if index == EARLY:
                    early = resident.worker_megabytes()
            late = resident.worker_megabytes()
    _report(resident.seconds, cold.seconds, bare)
    print(f"memory of the process that stays: {early:.0f} MB, then {late:.0f} MB")
    print(f"wrong results: {len(wrong)} of {operations} {sorted(set(wrong))}")
    return 1 if wrong else 0


def _report(resident: list[float], cold: list[float], bare: list[float]) -> None:
    staying = statistics.mean(resident)
    print(f"{len(resident)} operations in one process: {staying:.3f} s each")
    for name, seconds in (("a process for each run", cold), ("bare headless-run", bare)):
        mean = statistics.mean(seconds)
        print(f"{len(seconds)} x {name}: {mean:.3f} s each, {staying / mean:.3f} of it")


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
