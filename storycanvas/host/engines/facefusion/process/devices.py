"""The GPUs of this machine and their memory, as NVIDIA's own program tells them."""

import logging
import shutil
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from storycanvas.faces.contract import DeviceMemory, Execution
from storycanvas.host.engines.facefusion.process.commands import run_short_command
from storycanvas.host.engines.facefusion.process.environment import facefusion_environment
from storycanvas.host.engines.facefusion.translation.providers import on_cpu_alone

_log = logging.getLogger(__name__)

VISIBLE_VARIABLE = "CUDA_VISIBLE_DEVICES"
NVIDIA_SMI = "nvidia-smi"
_QUERY = ("--query-gpu=index,uuid,name,memory.used,memory.total", "--format=csv,noheader,nounits")
_SECONDS = 10.0
_FIELDS = 5
_MIB = 2**20
_STALE_SECONDS = 10.0


@dataclass(frozen=True)
class Gpu:
    """A GPU; its number is that of `nvidia-smi`, the order on the bus."""

    index: int
    uuid: str
    name: str
    memory: DeviceMemory | None


def read_gpus(environment: Mapping[str, str]) -> tuple[Gpu, ...]:
    """Ask `nvidia-smi`; nothing where it is not on `PATH` or does not answer."""
    program = shutil.which(NVIDIA_SMI, path=environment.get("PATH", ""))
    if program is None:
        return ()
    chosen = facefusion_environment(environment, downloads=False)
    try:
        ended = run_short_command([program, *_QUERY], Path("/"), chosen, _SECONDS)
    except OSError as error:
        _log.warning("%s cannot be asked for GPUs: %s", NVIDIA_SMI, error)
        return ()
    return listed_gpus(ended.output) if ended.status == 0 else ()


def listed_gpus(output: str) -> tuple[Gpu, ...]:
    """Read `nvidia-smi`'s lines; memory that it does not tell (`[N/A]`) is unknown."""
    rows = [[cell.strip() for cell in line.split(",")] for line in output.splitlines()]
    return tuple(
        Gpu(int(row[0]), row[1], row[2], _memory(row[3], row[4]))
        for row in rows
        if len(row) == _FIELDS and row[0].isdecimal()
    )


def _memory(used: str, total: str) -> DeviceMemory | None:
    if not (used.isdecimal() and total.isdecimal()):
        return None
    return DeviceMemory(used_bytes=int(used) * _MIB, total_bytes=int(total) * _MIB)


def visible_gpus(gpus: Sequence[Gpu], visible: str | None) -> tuple[Gpu, ...]:
    """Choose and order GPUs as `CUDA_VISIBLE_DEVICES` does, by number or beginning of the UUID.

    As CUDA does, what follows a name that no GPU has is left out.
    """
    if visible is None:
        return tuple(gpus)
    chosen: list[Gpu] = []
    for name in (part.strip() for part in visible.split(",")):
        found = [gpu for gpu in gpus if _is_called(gpu, name)]
        if not found:
            break
        chosen.append(found[0])
    return tuple(chosen)


def _is_called(gpu: Gpu, name: str) -> bool:
    return name == str(gpu.index) or (name.startswith("GPU-") and gpu.uuid.startswith(name))


@dataclass
class ExecutionState:
    """What an engine's sessions have; device and memory are read anew in the background.

    Args:
        environment: Has `PATH` and `CUDA_VISIBLE_DEVICES`.
        device: Number of the GPU among the visible ones.
        memory_bytes: Measures the engine's processes.
    """

    environment: Mapping[str, str]
    device: int
    memory_bytes: Callable[[], int]
    asked: tuple[str, ...] = ()
    used: tuple[str, ...] = ()
    _gpu: Gpu | None = None
    _read_at: float | None = None
    _reading: threading.Lock = field(default_factory=threading.Lock)

    def now(self) -> Execution | None:
        """Return what is known; None before anything is."""
        if not self.used:
            return None
        if on_cpu_alone(self.used):
            total = psutil.virtual_memory().total
            memory = DeviceMemory(used_bytes=self.memory_bytes(), total_bytes=total)
            return Execution(asked=self.asked, used=self.used, device="CPU", memory=memory)
        self._read_when_stale()
        gpu = self._gpu
        return Execution(
            asked=self.asked,
            used=self.used,
            device=gpu.name if gpu else None,
            memory=gpu.memory if gpu else None,
        )

    def forget(self) -> None:
        """Read the GPU's memory anew when it is next asked for: much of it was given back."""
        self._read_at = None

    def read(self) -> None:
        """Read the GPU; takes a second where its driver is busy, so no answer waits for it."""
        gpus = visible_gpus(read_gpus(self.environment), self.environment.get(VISIBLE_VARIABLE))
        self._gpu = gpus[self.device] if self.device < len(gpus) else None
        self._read_at = time.monotonic()

    def _read_when_stale(self) -> None:
        fresh = self._read_at is not None and time.monotonic() - self._read_at < _STALE_SECONDS
        if fresh or not self._reading.acquire(blocking=False):
            return

        def read() -> None:
            try:
                self.read()
            finally:
                self._reading.release()

        threading.Thread(target=read, name="read GPU", daemon=True).start()
