"""Loads the weights that are named, and no others, from where this FaceFusion loads them.

    cd FACEFUSION_HOME && python fetch_weights.py gfpgan_1.4 yoloface_8n …

FaceFusion's `force-download` loads every model of every processor, many gigabytes. The doctor
prints the command with the names that the six operations need. It runs in FaceFusion's Python, and
is the operator's to run: the host itself changes nothing in FaceFusion's folder.

The addresses are those of FaceFusion's model sets. The files are loaded here: FaceFusion 3.8.1
waits without end for a download that broke off, keeps the text of a "not found" as a checksum, and
deletes weights beside a wrong one (`download.py`). A file gets its name once its CRC32 is right.
"""

import importlib
import shutil
import subprocess
import sys
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

_COMMON = (
    "content_analyser",
    "face_classifier",
    "face_detector",
    "face_landmarker",
    "face_masker",
    "face_recognizer",
    "voice_extractor",
)
_PROCESSORS = ("age_modifier", "face_editor", "face_enhancer", "face_swapper")
_CHUNK_BYTES = 2**23
_CURL = (
    *("--fail", "--location", "--show-error", "--create-dirs", "--connect-timeout", "10"),
    *("--retry", "5", "--speed-limit", "1000", "--speed-time", "60"),
)
_CANNOT_RESUME = (22, 33, 36)
"""Statuses of curl where the server refuses to go on from where the file ends."""

Entry = Mapping[str, Any]


class FetchError(Exception):
    """A file could not be loaded; the sentence says why."""


def model_sets() -> Iterator[Mapping[str, Any]]:
    """Return every model of FaceFusion's modules for faces (3.5 to 3.8)."""
    names = [f"facefusion.{name}" for name in _COMMON]
    names += [f"facefusion.processors.modules.{name}.core" for name in _PROCESSORS]
    for name in names:
        yield from importlib.import_module(name).create_static_model_set("full").values()


def known_files() -> dict[str, Entry]:
    """Return `url` and `path` of each file of these models, by its name.

    The addresses are made while FaceFusion asks which of its servers answers.
    """
    sys.path[0] = str(Path.cwd())
    state = importlib.import_module("facefusion.state_manager")
    state.init_item("download_providers", ["github", "huggingface"])
    files: dict[str, Entry] = {}
    for model in model_sets():
        for kind in ("hashes", "sources"):
            files |= {Path(entry["path"]).name: entry for entry in (model.get(kind) or {}).values()}
    return files


def is_whole(weights: Path, checksum: Path) -> bool:
    """Return whether the CRC32 of a file is what the checksum says, as FaceFusion compares them."""
    if not (weights.is_file() and checksum.is_file()):
        return False
    crc = 0
    with weights.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            crc = zlib.crc32(chunk, crc)
    return f"{crc:08x}".encode() == checksum.read_bytes()


def run_curl(entry: Entry, into: Path, *, resume: bool) -> int:
    """Load a file with curl, which FaceFusion needs anyway; return curl's status."""
    quiet = () if sys.stderr.isatty() else ("--silent",)
    rest = ("--continue-at", "-") if resume else ()
    command = [shutil.which("curl") or "curl", *_CURL, *quiet, *rest, "--output", str(into)]
    return subprocess.run([*command, entry["url"]], check=False).returncode  # noqa: S603 - FaceFusion's own address


def load(entry: Entry, into: Path, checksum: Path | None = None) -> None:
    """Load a file, or the rest of one that broke off; raise `FetchError` with the reason."""
    if not entry["url"]:
        raise FetchError("none of FaceFusion's servers answers")
    resume = into.exists()
    status = run_curl(entry, into, resume=resume)
    begun = checksum is not None and not status and not is_whole(into, checksum)
    if resume and (begun or status in _CANNOT_RESUME):  # what was there is of another file
        status = run_curl(entry, into, resume=False)
    if status:
        raise FetchError(f"curl ended with status {status} for {entry['url']}")


def fetch(name: str, files: Mapping[str, Entry]) -> None:
    """Load the weights of this name where they are missing or differ from their checksum."""
    if f"{name}.onnx" not in files:
        raise FetchError("no model of this FaceFusion has weights of this name")
    checksum, weights = (Path(files[f"{name}.{kind}"]["path"]) for kind in ("hash", "onnx"))
    if is_whole(weights, checksum):
        return
    new, part = checksum.with_suffix(".hash.part"), weights.with_suffix(".onnx.part")
    new.unlink(missing_ok=True)
    load(files[f"{name}.hash"], new)
    new.replace(checksum)
    if is_whole(weights, checksum):  # the checksum alone was wrong
        return
    load(files[f"{name}.onnx"], part, checksum)
    if not is_whole(part, checksum):
        part.unlink()
        raise FetchError("what came has another CRC32 than its checksum")
    part.replace(weights)


def main(names: list[str]) -> int:
    """Load each; return 1 where some could not be, each named with the reason."""
    files = known_files()
    status = 0
    for name in names:
        try:
            fetch(name, files)
        except (FetchError, OSError) as error:
            sys.stderr.write(f"{name} could not be loaded: {error}\n")
            status = 1
        else:
            sys.stderr.write(f"{name} is there\n")
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
