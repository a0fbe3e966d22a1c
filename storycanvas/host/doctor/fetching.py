"""The one command that loads the weights which the six operations need.

`python -m storycanvas.host.doctor.fetching` runs it for the FaceFusion of the environment; the
doctor prints it. Further models, by FaceFusion's own names, are loaded, too: `… hyperswap_1a_256`.
"""

import os
import shlex
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from storycanvas.faces.operations import EnhanceOperation, SwapOperation
from storycanvas.host.engines.facefusion.drivers.versions import version_of
from storycanvas.host.engines.facefusion.drivers.worker_process import WORKER
from storycanvas.host.engines.facefusion.process.installation import (
    InstallationUnusable,
    find_home,
    find_python,
    stated_version,
)
from storycanvas.host.engines.facefusion.process.weights import (
    DEFAULT_DETECTOR,
    MODELS_OF_OPERATION,
    needed_files,
)

FETCH = WORKER.with_name("fetch_weights.py")
_DEFAULTS = {
    EnhanceOperation.path: "gfpgan_1.4",
    SwapOperation.path: "inswapper_128",
}
"""The model that an operation with several uses where the caller names none."""


def default_model(path: str) -> str | None:
    """Return the model of an operation whose caller names none; None where it needs none."""
    models = MODELS_OF_OPERATION[path]
    return _DEFAULTS.get(path, models[0]) if models else None


def default_weights(home: Path, models: Iterable[str] = ()) -> list[str]:
    """Return the names of what the six operations need with their default models, sorted.

    Args:
        home: FaceFusion's folder; 3.5 and 3.6 need more than what newer ones do.
        models: Further models whose weights are wanted.

    Raises:
        ValueError: FaceFusion has no such model.
    """
    defaults = [DEFAULT_DETECTOR, *(default_model(path) for path in MODELS_OF_OPERATION)]
    files = needed_files([*(model for model in defaults if model), *models])
    version = version_of(stated_version(home) or "")
    also = version.also_needed if version else ()
    return sorted({name.rpartition(".")[0] for name in files}.union(also))


def fetch_command(home: Path, python: Path, names: Iterable[str]) -> str:
    """Return the command for a person, in the words of this system's shell."""
    words = [str(python), str(FETCH), *sorted(set(names))]
    if os.name == "nt":
        return f"run: cd {subprocess.list2cmdline([str(home)])}; & {subprocess.list2cmdline(words)}"
    return f"run: cd {shlex.quote(str(home))} && {shlex.join(words)}"


def main(models: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run the command; return its status, 2 where it cannot be run at all."""
    try:
        home = find_home(environment)
        python = find_python(environment, home)
        names = default_weights(home, models)
    except (InstallationUnusable, ValueError, OSError) as error:
        sys.stderr.write(f"cannot load weights: {error}\n")
        return 2
    # The operator's own environment: curl may need its proxy.
    return subprocess.run([python, FETCH, *names], cwd=home, check=False).returncode  # noqa: S603 - found above


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
