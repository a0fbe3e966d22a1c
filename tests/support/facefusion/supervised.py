"""The facefusion engine in the test's own process, over a stand-in checkout of its own."""

import contextlib
import os
import signal
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Self

import psutil

from storycanvas.faces.operations import EnhanceOperation, FaceOperation
from storycanvas.faces.pictures.reading import Picture, read_picture
from storycanvas.host.engines.engine import EngineResult
from storycanvas.host.engines.facefusion.drivers.driver import Renewal
from storycanvas.host.engines.facefusion.engine import EnginePlan, FaceFusionEngine
from storycanvas.host.engines.facefusion.process.environment import facefusion_environment
from storycanvas.host.engines.facefusion.process.installation import Installation
from tests.support.facefusion.gated_checkout import GatedCheckout, is_gone
from tests.support.facefusion.made_pictures import plain
from tests.support.facefusion.stand_in.checkout import VERSION, misbehave, write_weights
from tests.support.host.started_host import wait_until

SELDOM = Renewal(operations=1000, memory_bytes=2**40)
OPTIONS = ("--video-memory-strategy", "tolerant", "--log-level", "info")


def portrait(shade: int = 120) -> Picture:
    """A picture that the stand-in takes for one face."""
    return read_picture(plain((shade, shade, shade), (96, 96)), "portrait")


class Supervised:
    """An engine that is open within a `with` block."""

    def __init__(
        self,
        folder: Path,
        *,
        slots: int = 1,
        try_seconds: float = 60.0,
        renewal: Renewal = SELDOM,
        restart_seconds: float = 30.0,
        downloads: bool = False,
        preload: tuple[str, ...] = (),
        weights: dict[str, tuple[bytes, str | None]] | None = None,
        python: Path = Path(sys.executable),
    ) -> None:
        self.checkout = GatedCheckout(folder / "home")
        for name, (content, crc) in (weights or {}).items():
            write_weights(self.checkout.home, name, content, crc)
        self.folder = folder / "data"
        self._plan = EnginePlan(
            installation=Installation(self.checkout.home, python, VERSION),
            environment=facefusion_environment(os.environ, downloads=False),
            folder=self.folder,
            options=OPTIONS,
            slots=slots,
            try_seconds=try_seconds,
            renewal=renewal,
            restart_seconds=restart_seconds,
            downloads=downloads,
            preload=preload,
        )
        self._callers = ThreadPoolExecutor(8)

    def __enter__(self) -> Self:
        self.engine = FaceFusionEngine(self._plan)
        return self

    def __exit__(self, *_: object) -> None:
        wait_until(lambda: self.engine.readiness != "starting")
        self.checkout.open_gate()
        self.engine.close()
        self._callers.shutdown()

    def misbehave(self, *lines: str) -> None:
        misbehave(self.checkout.home, *lines)

    def run(
        self, operation: FaceOperation | None = None, pictures: Sequence[Picture] = ()
    ) -> EngineResult:
        return self.engine.run(operation or EnhanceOperation(), pictures or [portrait()])

    def run_meanwhile(
        self, operation: FaceOperation | None = None, pictures: Sequence[Picture] = ()
    ) -> Future[EngineResult]:
        return self._callers.submit(self.run, operation, pictures)

    def processes(self) -> list[int]:
        """The living processes of FaceFusion."""
        notes = (self.folder / "pids").glob("*.json")
        return [pid for pid in (int(note.stem) for note in notes) if not is_gone(pid)]

    def held(self) -> tuple[int, int, int]:
        """Open files of this process, its threads, and notes on processes of FaceFusion."""
        own = psutil.Process()
        return own.num_fds(), own.num_threads(), len(list((self.folder / "pids").iterdir()))


OpenEngine = Callable[..., Supervised]
"""Takes what `Supervised` takes but its folder; the engine is closed after the test."""


def kill(pid: int) -> None:
    """Kill a process of the engine, and wait until its last thread is gone."""
    os.kill(pid, signal.SIGKILL)
    with contextlib.suppress(ChildProcessError):  # the engine took notice already
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)


def memory_bytes(pid: int) -> int:
    return int(psutil.Process(pid).memory_info().rss)
