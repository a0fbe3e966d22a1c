"""Weights compared with their checksums before FaceFusion does, which deletes what differs.

FaceFusion 3.5 to 3.8 trusts `NAME.onnx` where `NAME.hash` beside it holds the CRC32 of its bytes
as 8 hexadecimal digits, and removes the `.onnx` otherwise (`download.py`). The host never lets it
come to that: an operation whose weights are missing or damaged is refused before it begins.
"""

import threading
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from storycanvas.faces.errors import OperationUnsupported
from storycanvas.host.engines.facefusion.drivers.versions import version_of
from storycanvas.host.engines.facefusion.process.weights import (
    able_operations,
    files_of,
    models_folder,
    needed_files,
    present_models,
)

_CHUNK_BYTES = 8 * 2**20
_NAMED = 4
_Stamp = tuple[int, ...]


class Faults(NamedTuple):
    """Files that a run needs and cannot use, sorted.

    Attributes:
        missing: Not there.
        damaged: `.onnx` files whose CRC32 is not that of their `.hash`.
    """

    missing: tuple[str, ...]
    damaged: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.missing or self.damaged)

    def __str__(self) -> str:
        parts = []
        if self.missing:
            parts.append(f"lacks {some(self.missing)}")
        if self.damaged:
            parts.append(f"has {some(self.damaged)} damaged: the CRC32 is not that of the .hash")
        return " and ".join(parts)


class CheckedWeights:
    """The weights of a checkout; the content of a file is read once, and again when it changes."""

    def __init__(self, home: Path, version: str | None = None) -> None:
        entry = version_of(version) if version else None
        self._home = home
        self._also = entry.also_needed if entry else ()
        self._verdicts: dict[str, tuple[_Stamp, bool]] = {}
        self._lock = threading.Lock()  # two slots must not read gigabytes twice

    def faults(self, models: Iterable[str]) -> Faults:
        """Check every file that a run with these models needs; the first time takes seconds."""
        wanted = tuple(models)
        needed = needed_files(wanted) | {f"{n}.{k}" for n in self._also for k in ("onnx", "hash")}
        missing = tuple(sorted(needed - files_of(self._home)))
        names = {name.rpartition(".")[0] for name in needed}
        absent = {name.rpartition(".")[0] for name in missing}
        with self._lock:
            damaged = [name for name in sorted(names - absent) if not self._is_whole(name)]
        return Faults(missing, tuple(f"{name}.onnx" for name in damaged))

    def refuse_faults(self, models: Iterable[str]) -> None:
        """Refuse an operation whose weights cannot be used, with `OperationUnsupported`."""
        faults = self.faults(models)
        if not faults:
            return
        delete = (
            f"Delete {', '.join(faults.damaged)} in its .assets/models. " if faults.damaged else ""
        )
        raise OperationUnsupported(
            f"FaceFusion {faults}. {delete}Run its force-download, or the shorter command that "
            "`storycanvas-host doctor` prints."
        )

    def models(self) -> tuple[str, ...]:
        """Return the models whose files are there and not known to be damaged."""
        return present_models(self._home, self._damaged()) if self._has_also() else ()

    def able(self) -> tuple[str, ...]:
        """Return the paths of the operations that these models can do."""
        return able_operations(self._home, self._damaged()) if self._has_also() else ()

    def _has_also(self) -> bool:
        return {f"{name}.onnx" for name in self._also} <= files_of(self._home) - self._damaged()

    def _damaged(self) -> frozenset[str]:
        """Return files that were found to be damaged and have not changed since; reads nothing."""
        known = [(name, stamp) for name, (stamp, whole) in self._verdicts.items() if not whole]
        return frozenset(f"{name}.onnx" for name, stamp in known if self._stamp(name) == stamp)

    def _is_whole(self, name: str) -> bool:
        stamp = self._stamp(name)
        known = self._verdicts.get(name)
        if known is None or known[0] != stamp:
            folder = models_folder(self._home)
            whole = crc32_of(folder / f"{name}.onnx") == _recorded(folder / f"{name}.hash")
            self._verdicts = {**self._verdicts, name: (stamp, whole)}
        return self._verdicts[name][1]

    def _stamp(self, name: str) -> _Stamp:
        folder = models_folder(self._home)
        try:
            statuses = [(folder / f"{name}.{kind}").stat() for kind in ("onnx", "hash")]
        except OSError:
            return ()
        return tuple(part for s in statuses for part in (s.st_ino, s.st_size, s.st_mtime_ns))


def crc32_of(file: Path) -> str:
    """Return the CRC32 of a file as FaceFusion writes it; empty where it cannot be read."""
    crc = 0
    try:
        with file.open("rb") as opened:
            while chunk := opened.read(_CHUNK_BYTES):
                crc = zlib.crc32(chunk, crc)
    except OSError:
        return ""
    return format(crc, "08x")


def _recorded(file: Path) -> str | None:
    try:
        return file.read_text(errors="replace")
    except OSError:
        return None


def some(files: Iterable[str]) -> str:
    """List the first files, and count the rest."""
    named = list(files)
    rest = len(named) - _NAMED
    return ", ".join(named[:_NAMED]) + (f" and {rest} more" if rest > 0 else "")
