import json
import os
import sys
import time
from pathlib import Path

import pytest

from storycanvas.host.engines.facefusion.process.commands import run_short_command
from storycanvas.host.engines.facefusion.process.installation import (
    Installation,
    InstallationUnusable,
    find_installation,
    find_python,
    supported_version,
)
from tests.support.facefusion.checkouts import (
    SAYS_VERSION,
    make_checkout,
    make_executable,
    make_programs,
    outline_environment,
)

WRITES_ENVIRONMENT = (
    "import json, os, pathlib;"
    "pathlib.Path('seen').write_text(json.dumps(dict(os.environ)));" + SAYS_VERSION
)


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    home = make_checkout(tmp_path / "facefusion")
    return outline_environment(home, make_programs(tmp_path / "bin"))


def test_an_installation_is_found_with_its_version(environment: dict[str, str]) -> None:
    assert find_installation(environment) == Installation(
        Path(environment["FACEFUSION_HOME"]), Path(sys.executable), "3.8.1"
    )


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("FACEFUSION_HOME", "", "FACEFUSION_HOME is not set"),
        ("FACEFUSION_HOME", "/does/not/exist", "/does/not/exist, which is not a folder"),
        ("FACEFUSION_HOME", __file__, "which is not a folder"),
        ("FACEFUSION_HOME", str(Path(__file__).parent), "which has no facefusion.py"),
        ("FACEFUSION_PYTHON", "", "FACEFUSION_PYTHON is not set"),
        ("FACEFUSION_PYTHON", "/does/not/python", "/does/not/python, which is missing"),
        ("FACEFUSION_PYTHON", __file__, "cannot be executed"),
        ("FACEFUSION_PYTHON", "/bin/false", "ended with status 1 (no message)"),
        ("PATH", "", "needs curl and ffmpeg and ffprobe, not found on PATH (empty)"),
    ],
)
def test_an_unusable_value_is_quoted(
    environment: dict[str, str], name: str, value: str, message: str
) -> None:
    with pytest.raises(InstallationUnusable) as caught:
        find_installation(environment | {name: value})
    assert message in str(caught.value)


def test_a_program_that_is_missing_is_named(environment: dict[str, str]) -> None:
    (Path(environment["PATH"]) / "ffprobe").unlink()
    with pytest.raises(InstallationUnusable, match="needs ffprobe, not found"):
        find_installation(environment)


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("import sys; sys.exit('numpy is not there')", "ended with status 1 (numpy is not there)"),
        ("print('usage: facefusion.py')", "answered 'usage: facefusion.py'"),
        ("import os; os.write(1, bytes(range(128, 255)))", "names no version"),
        ("import time; time.sleep(600)", "did not end within 0.5 s"),
    ],
    ids=["fails", "other text", "no text", "hangs"],
)
def test_a_program_without_a_version_is_refused(
    environment: dict[str, str], program: str, message: str
) -> None:
    Path(environment["FACEFUSION_HOME"], "facefusion.py").write_text(program)
    with pytest.raises(InstallationUnusable) as caught:
        find_installation(environment, seconds=0.5 if "sleep" in program else 60)
    assert message in str(caught.value)


def test_the_program_runs_in_its_home_and_sees_no_token(environment: dict[str, str]) -> None:
    home = Path(environment["FACEFUSION_HOME"])
    (home / "facefusion.py").write_text(WRITES_ENVIRONMENT)
    find_installation(environment | {"FACEFUSION_TOKEN": "made-up"})
    seen = json.loads((home / "seen").read_text())
    assert seen["PATH"] == environment["PATH"]
    assert "made-up" not in seen.values()


@pytest.mark.parametrize("version", ["3.5", "3.5.4", "3.6.0", "3.6.1", "3.7.1", "3.8.0", "3.8.99"])
def test_a_version_that_is_supported_is_taken(version: str) -> None:
    assert supported_version(f"a warning\nFaceFusion {version}\n") == version


@pytest.mark.parametrize(
    "version",
    ["3.4.9", "3.50", "3.5.x", "3.8.1-rc", "3.9.0", "4.0.0", "v4", "2.6.1", "13.8.1"],
)
def test_another_version_is_refused_by_name(version: str) -> None:
    with pytest.raises(InstallationUnusable, match=rf"{version} is not supported.*3\.5, .*3\.8"):
        supported_version(f"FaceFusion {version}\n")


@pytest.mark.parametrize("name", [".venv/bin/python", "venv/bin/python"])
def test_without_a_variable_the_checkouts_own_python_is_taken(tmp_path: Path, name: str) -> None:
    python = make_executable(tmp_path / name)
    assert find_python({"PATH": ""}, tmp_path) == python


def test_a_python_is_found_by_its_command(tmp_path: Path) -> None:
    programs = make_programs(tmp_path / "bin", ["python3.12"])
    found = find_python({"FACEFUSION_PYTHON": "python3.12", "PATH": programs}, tmp_path)
    assert found == tmp_path / "bin" / "python3.12"


def test_a_virtual_environments_python_stays_the_link_that_it_is(tmp_path: Path) -> None:
    link = tmp_path / "python"
    link.symlink_to(sys.executable)
    assert find_python({"FACEFUSION_PYTHON": str(link), "PATH": ""}, tmp_path) == link


def test_a_command_that_hangs_is_ended_with_what_it_started(tmp_path: Path) -> None:
    command = ["/bin/sh", "-c", "sleep 600 & echo $! > child; wait"]
    with pytest.raises(TimeoutError, match="did not end within 1 s"):
        run_short_command(command, tmp_path, {"PATH": os.defpath}, 1.0)
    child = int((tmp_path / "child").read_text())
    deadline = time.monotonic() + 30  # a killed process takes a moment to go
    while is_running(child) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not is_running(child)


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"
