"""Loads what `--preload` names into FaceFusion's processes before it is asked for."""

import logging
from collections.abc import Callable, Sequence

from storycanvas.faces.errors import FaceError
from storycanvas.faces.operations import FaceOperation
from storycanvas.host.engines.facefusion.drivers.driver import WorkerDriver
from storycanvas.host.engines.facefusion.process.errors import Breakdown, GpuUnused
from storycanvas.host.engines.facefusion.translation.operation import translate
from storycanvas.host.engines.preloading import PRELOADS

_log = logging.getLogger(__name__)

LOAD_SECONDS = 1800.0
"""Longest load of one name: TensorRT builds a model for minutes when it meets it first."""


class Preload:
    """What is to be loaded, what of it is not loaded yet, and why some of it cannot be.

    Args:
        names: What `--preload` names.
        options: What every command line begins with.
        check: Raises a `FaceError` where the weights of an operation cannot be used.
        shown: Takes paths out of a message.

    Attributes:
        pending: What is not loaded yet, the first of it being loaded.
        starts: Whether a process is being started for it, also where nothing is to be loaded.
    """

    def __init__(
        self,
        names: Sequence[str],
        options: Sequence[str],
        check: Callable[[FaceOperation], None],
        shown: Callable[[str], str],
    ) -> None:
        self.pending: tuple[str, ...] = ()
        self.starts = False
        self._names = tuple(names)
        self._options = tuple(options)
        self._check = check
        self._shown = shown
        self._failures: dict[str, str] = {}

    @property
    def failure(self) -> str | None:
        """Which names could not be loaded, and why; None without one."""
        sentences = (f"--preload {name} failed: {why}" for name, why in self._failures.items())
        return " ".join(sentences) or None

    def into(self, drivers: Sequence[WorkerDriver]) -> None:
        """Start each process and load everything; `failure` names what could not be loaded.

        Raises:
            Breakdown: A process does not start, or has the CPU alone where that is refused.
        """
        self._failures = {}
        try:
            for driver in drivers:
                self._load_all(driver)
        finally:
            self.pending, self.starts = (), False

    def _load_all(self, driver: WorkerDriver) -> None:
        driver.begin()
        try:
            self.starts = not driver.has_worker
            driver.start()
            loaded: list[str] = []
            for place, name in enumerate(self._names):
                self.pending = self._names[place:]
                if self._load(driver, name, loaded):
                    loaded.append(name)
        finally:
            driver.finish()

    def _load(self, driver: WorkerDriver, name: str, loaded: Sequence[str]) -> bool:
        """Load one name; after a breakdown also what the process had, in a new one."""
        try:
            self._check(PRELOADS[name])
            arguments = translate(PRELOADS[name], direction=0).arguments
            driver.load((*self._options, *arguments), LOAD_SECONDS)
        except GpuUnused:  # no operation could be done, whatever model it needs
            raise
        except (FaceError, Breakdown) as error:
            self._failures[name] = self._shown(str(error))
            _log.error("--preload %s failed: %s", name, self._failures[name])
            if isinstance(error, Breakdown):
                driver.end()
                driver.start()
                for earlier in loaded:
                    if not self._load(driver, earlier, ()):
                        break
            return False
        _log.info("%s is loaded", name)
        return True
