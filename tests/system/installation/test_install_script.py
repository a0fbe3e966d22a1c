"""The guide as a new user follows it, and `install.sh` as a whole.

The commands are those of docs/gpu-host.md, character by character, in a folder that stands for the
root of a new machine. Replaced are the folders below `/`, the port, and the programs that would
change this machine: `systemctl`, `systemd-run` and the editor; `apt-get` and `useradd` are real.
"""

import os
import re
import shutil
import socket
import subprocess
import tempfile
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
import pytest

from storycanvas.host.page.routes import FILES
from tests.support.facefusion.checkouts import make_executable, programs, write_checkout
from tests.support.facefusion.weights_server import WeightsServer, serving_weights
from tests.support.host.interpreters import interpreter
from tests.support.host.started_host import HostProcess
from tests.support.paths import PORTRAIT, ROOT
from tests.support.tree import files

TAG = "3.8.1"
SECONDS = 500
IS_ROOT = hasattr(os, "geteuid") and os.geteuid() == 0
pytestmark = [
    pytest.mark.timeout(2 * SECONDS),
    pytest.mark.skipif(
        None in map(shutil.which, ("git", "openssl", "curl")), reason="git, openssl, curl"
    ),
]


def run(*words: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        words, env=plain() | variables, capture_output=True, text=True, check=False, timeout=SECONDS
    )


def plain() -> dict[str, str]:
    """An environment without what names this project, another FaceFusion or libraries of cv2's."""
    named = ("FACEFUSION", "TEST_", "PYTHON", "STORYCANVAS", "VIRTUAL_ENV", "LD_LIBRARY_PATH")
    return {name: value for name, value in os.environ.items() if not name.startswith(named)}


PAGE = (ROOT / "docs" / "gpu-host.md").read_text()
PROGRAMS = {
    "systemctl": 'echo "$*" >>"$BOX/systemctl.log"; exec /usr/bin/env true',
    "nano": """sed -i "s|^HOST_OPTIONS=.*|HOST_OPTIONS=--keep-gib 100|" "$1" """,
    "systemd-run": """
        while [ "${1#-}" != "$1" ]; do
            [ "$1" != -p ] || { shift; set -a; . "${1#EnvironmentFile=}"; set +a; }
            shift
        done
        exec "$@" --port 0""",
}


def console(heading: str, number: int = 0) -> str:
    """Return the commands of one block of a section of the guide."""
    (section,) = re.findall(rf"(?ms)^## {heading}\n(.*?)(?=^## )", PAGE)
    blocks = re.findall(r"(?ms)^```console\n(.*?)^```", section)
    return re.sub(r"(?m)^[$#] ", "", str(blocks[number]))


def free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


@dataclass
class Box:
    """A machine of its own: folders, a FaceFusion to check out, a server of weights."""

    root: Path
    server: WeightsServer

    @property
    def project(self) -> Path:
        return self.root / "opt/storycanvas/src"

    def follow(self, commands: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Type commands of the guide; what they leave running is ended."""
        replaced = re.sub(r"(?<![\w.])/(opt|etc|var/lib|srv)(?=/)", rf"{self.root}/\1", commands)
        script = f"set -e\ntrap 'kill $(jobs -p) 2>/dev/null || true; wait' EXIT\n{replaced}"
        return run("bash", "-c", script, **self.set_up(), **variables)

    def install(self, *steps: str, **variables: str) -> subprocess.CompletedProcess[str]:
        script = self.project / "deployments/host/install.sh"
        return run(script, *steps, **self.set_up() | variables)

    def set_up(self) -> dict[str, str]:
        """Name what differs from a machine with a GPU, the internet and one system."""
        folders = {
            "STORYCANVAS_HOME": "opt/storycanvas", "FACEFUSION_HOME": "opt/facefusion",
            "FACEFUSION_SOURCE": "upstream", "WEIGHTS": "volume", "SYSROOT": "", "BOX": "",
            "CURL_HOME": "", "APT_CONFIG": "apt.conf", "HOME": "root",
        }  # fmt: skip
        return {
            **{name: str(self.root / folder) for name, folder in folders.items()},
            "ONNXRUNTIME": "default",
            "PYTHON": interpreter("3.12", "3.13", "3.14"),
            "PATH": self.path(),
        }

    def path(self) -> str:
        """The programs of the box, then this machine's, then what is missing of FaceFusion's."""
        return f"{self.root / 'bin'}:{programs(self.root / 'programs')}"

    def variables(self) -> dict[str, str]:
        """Read what the script wrote for the service."""
        lines = (self.root / "etc/storycanvas-host.env").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines if not line.startswith("#"))


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    root = tmp_path_factory.mktemp("box")
    upstream = write_checkout(root / "upstream")
    weights = {path.name: path.read_bytes() for path in upstream.models.iterdir()}
    shutil.rmtree(upstream.home / ".assets")
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-qm", TAG], ["tag", TAG]):
        identity = ("-c", "user.name=a", "-c", "user.email=a")
        subprocess.run(["git", *identity, *words], cwd=upstream.home, check=True)
    for file in files():
        copy = root / "opt/storycanvas/src" / file.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, copy)
    (root / "etc/systemd/system").mkdir(parents=True)
    for name, line in {"passwd": "root:x:0:0::/:", "group": "root:x:0:\nvideo:x:44:"}.items():
        (root / "etc" / name).write_text(f"{line}\n")
    for name, text in PROGRAMS.items():
        program = root / "bin" / name
        program.parent.mkdir(exist_ok=True)
        program.write_text(f"#!/bin/sh\n{textwrap.dedent(text)}\n")
        program.chmod(0o755)
    for folder in ("root", "srv/pictures"):
        (root / folder).mkdir(parents=True)
    shutil.copy(PORTRAIT, root / "srv/pictures/face.jpg")
    (root / "apt.conf").write_text('APT::Get::Simulate "true";\n')
    with serving_weights(root, weights) as server:
        yield Box(root, server)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that others may enter; pytest's own are closed."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


@pytest.fixture(scope="module")
def installed(box: Box) -> Box:
    """The box after the guide's chapter `Install`, for one that has nothing yet."""
    commands = console("Install", 1)
    if not (IS_ROOT and shutil.which("apt-get")):
        commands = commands.replace("packages user ", "")
    ended = box.follow(commands)
    if re.search("No matching distribution|onnection|Failed to fetch", ended.stderr):
        pytest.skip("no registry gives the packages")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert f"FaceFusion {TAG}" in ended.stdout
    return box


def program(box: Box) -> Path:
    return box.root / "opt/storycanvas/venv/bin/storycanvas-host"


def host_variables(box: Box) -> dict[str, str]:
    home = box.root / "opt/facefusion"
    return {"FACEFUSION_HOME": str(home), "FACEFUSION_PYTHON": str(home / ".venv/bin/python")}


def test_the_first_start_ends_with_a_status_that_is_ok(installed: Box) -> None:
    port = free_port()
    commands = console("First start").replace("9002", port)
    commands = commands.replace("--engine facefusion", f"--engine facefusion --port {port}")

    ended = installed.follow(f"cd {installed.root / 'root'}\n{commands}")

    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert ", 0 failed." in ended.stdout
    assert '"status":"ok","engine":"facefusion"' in ended.stdout.splitlines()[-1]


def test_the_commands_of_the_api_are_answered(installed: Box) -> None:
    commands = console("The API").replace("9002", free_port())
    typed = "\n".join(line for line in commands.splitlines() if not line.startswith("{"))

    ended = installed.follow(
        f"cd {installed.root / 'root'}\nPATH={program(installed).parent}:$PATH\n{typed}"
    )

    assert ended.returncode == 0, ended.stderr
    assert '"status":"ok","engine":"preview"' in ended.stdout
    assert '"output_path":"asset:' in ended.stdout


def test_facefusion_does_an_operation_with_the_libraries_of_a_conda_environment(
    installed: Box,
) -> None:
    conda = installed.root / "opt/conda/envs/facefusion"
    (conda / "lib").mkdir(parents=True)
    options = ["--engine", "facefusion", "--port", "0", "--data-dir", str(installed.root / "data")]
    options += ["--allow-root", str(PORTRAIT.parent)]
    variables = plain() | host_variables(installed)
    variables |= {"CONDA_PREFIX": str(conda), "PATH": installed.path()}
    host = HostProcess([str(program(installed)), *options], variables)
    try:
        body = {"source_path": str(PORTRAIT), "face_enhancer_model": "gfpgan_1.4"}
        answer = httpx.post(f"{host.url}/api/v1/enhance-face", json=body, timeout=120)
        pages = {path: httpx.get(f"{host.url}{path}").status_code for path in FILES}
        workers = psutil.Process(host.process.pid).children()
        libraries = {worker.environ().get("LD_LIBRARY_PATH", "") for worker in workers}
    finally:
        host.end()

    assert answer.status_code == 200, answer.text
    assert pages == dict.fromkeys(FILES, 200)
    if (installed.root / "opt/facefusion/facefusion/conda.py").exists():  # not in the stand-in
        assert libraries == {str(conda / "lib")}


def test_weights_lie_on_the_volume_and_came_once(installed: Box) -> None:
    models = installed.root / "opt/facefusion/.assets/models"
    asked = list(installed.server.asked)

    assert models.is_symlink()
    assert (installed.root / "volume/gfpgan_1.4.onnx").is_file()
    assert len(asked) == len(set(asked)) > 30


@pytest.fixture(scope="module")
def served(installed: Box) -> Box:
    """The same box after the guide's chapter on the service."""
    if not IS_ROOT:
        pytest.skip("only root makes users and units")
    ended = installed.follow(console("As a service: Linux"))
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return installed


def test_the_service_gets_a_user_a_token_and_units_that_systemd_understands(served: Box) -> None:
    etc = served.root / "etc"
    file, written = etc / "storycanvas-host.env", served.variables()
    units = sorted((etc / "systemd/system").iterdir())

    assert file.stat().st_mode & 0o777 == 0o600
    assert {name: written[name] for name in host_variables(served)} == host_variables(served)
    assert len(written["FACEFUSION_TOKEN"]) == 64
    assert written["HOST_OPTIONS"] == "--keep-gib 100"
    assert "\nstorycanvas:" in (etc / "passwd").read_text()
    assert "video:x:44:storycanvas\n" in (etc / "group").read_text()
    assert [unit.stem for unit in units] == ["storycanvas-host", "storycanvas-host@"]
    assert (served.root / "systemctl.log").read_text() == "enable --now storycanvas-host\n"
    if shutil.which("systemd-analyze"):
        verified = run("systemd-analyze", "verify", units[0])
        assert (verified.returncode, verified.stderr) == (0, "")


def test_the_doctor_runs_with_the_environment_of_the_service(served: Box) -> None:
    ended = served.follow(console("As a service: Linux", 1))

    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "token" in ended.stdout
    assert served.variables()["FACEFUSION_TOKEN"] not in ended.stdout


def test_a_host_for_each_gpu_has_a_port_a_folder_and_a_gpu_of_its_own(served: Box) -> None:
    (section,) = re.findall(r"(?ms)^## Several GPUs\n(.*?)(?=^## )", PAGE)
    names = re.findall(r"`/etc/(storycanvas-host-\d\.env)`", section)
    files = dict(zip(names, re.findall(r"(?ms)^```ini\n(.*?)^```", section), strict=True))
    unit = (served.root / "etc/systemd/system/storycanvas-host@.service").read_text()
    (command,) = re.findall(r"(?m)^ExecStart=(.+)$", unit)
    command = command.replace("--engine facefusion", "--engine preview")
    hosts = []
    for number, name in enumerate(names):
        text = files[name].replace(f"900{number + 2}", free_port())
        (served.root / "etc" / name).write_text(text)
        set_here = dict(line.split("=", 1) for line in text.splitlines())
        words = served.follow(
            f"echo {command.replace('%i', str(number))}", HOST_OPTIONS="", **set_here
        ).stdout.split()
        hosts.append((HostProcess(words, plain() | set_here), set_here))
    try:
        for number, (host, set_here) in enumerate(hosts):
            assert host.url.endswith(f":{set_here['HOST_PORT']}")
            assert set_here["CUDA_VISIBLE_DEVICES"] == str(number)
            assert httpx.get(f"{host.url}/api/v1/status").status_code == 200
            assert (served.root / f"var/lib/storycanvas-host-{number}/data").is_dir()
    finally:
        for host, _ in hosts:
            host.end()


def test_steps_that_were_taken_change_nothing(served: Box) -> None:
    served.server.asked.clear()
    before = served.variables()
    marker = served.root / "opt/facefusion/.venv/an-operators-own"
    marker.touch()

    ended = served.install("user", "facefusion", "weights", "service")

    assert ended.returncode == 0, ended.stderr
    assert served.variables() == before
    assert served.server.asked == []
    assert marker.exists()


@pytest.mark.parametrize(
    ("steps", "variables", "words"),
    [
        ([], {}, "name the steps: packages user facefusion host weights service"),
        (["all"], {}, "there is no step all"),
        (["weights"], {"STORYCANVAS_HOME": "/nonexistent"}, "needs the step host"),
        (
            ["service"],
            {"FACEFUSION_HOME": "/nonexistent", "SYSROOT": "/nonexistent"},
            "name it as FACEFUSION_PYTHON",
        ),
    ],
    ids=["none", "unknown", "too early", "no python"],
)
def test_what_cannot_be_done_is_said_in_a_sentence(
    box: Box, steps: list[str], variables: dict[str, str], words: str
) -> None:
    ended = box.install(*steps, **variables)

    assert ended.returncode == 1
    assert ended.stderr.startswith("install.sh: ")
    assert words in ended.stderr


def test_the_python_of_a_conda_environment_brings_its_folder_along(
    box: Box, tmp_path: Path
) -> None:
    (tmp_path / "etc/systemd/system").mkdir(parents=True)
    conda = tmp_path / "conda"
    python = make_executable(conda / "bin" / "python")
    variables = {"FACEFUSION_PYTHON": str(python), "CONDA_PREFIX": str(conda)}

    ended = box.install("service", SYSROOT=str(tmp_path), **variables)

    assert ended.returncode == 0, ended.stderr
    lines = (tmp_path / "etc/storycanvas-host.env").read_text().splitlines()
    assert {f"{name}={value}" for name, value in variables.items()} <= set(lines)


@pytest.mark.skipif(not IS_ROOT, reason="takes the place of another user")
@pytest.mark.parametrize("mode", [0o700, 0o711])
def test_a_home_that_the_services_user_cannot_enter_is_named(
    box: Box, open_folder: Path, mode: int
) -> None:
    (open_folder / "etc/systemd/system").mkdir(parents=True)
    python = make_executable(open_folder / "home" / "venv" / "bin" / "python")
    (open_folder / "home").chmod(mode)
    folders = {"SYSROOT": str(open_folder), "STORYCANVAS_HOME": str(open_folder / "none")}

    ended = box.install(
        "service", SERVICE_USER="daemon", FACEFUSION_HOME=str(open_folder / "none"),
        FACEFUSION_PYTHON=str(python), **folders,
    )  # fmt: skip

    written = open_folder / "etc/storycanvas-host.env"
    assert (ended.returncode, written.exists()) == ((1, False) if mode == 0o700 else (0, True))
    if mode == 0o700:
        assert f"daemon cannot read {python}" in ended.stderr
    else:
        unit = (open_folder / "etc/systemd/system/storycanvas-host.service").read_text()
        group = run("id", "-gn", "daemon").stdout
        assert f"User=daemon\nGroup={group}" in unit


def test_a_python_that_is_too_old_is_refused_before_anything_is_made(box: Box) -> None:
    home = box.root / "older"
    old = interpreter("3.11")

    ended = box.install("facefusion", PYTHON=old, FACEFUSION_HOME=str(home), WEIGHTS="")

    assert "Python 3.12" in ended.stderr
    assert not (home / ".venv").exists()


def test_requirements_that_could_not_be_installed_are_tried_again(box: Box) -> None:
    home = box.root / "broken"
    nothing = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(box.root / "etc")}

    first = box.install("facefusion", FACEFUSION_HOME=str(home), WEIGHTS="", **nothing)
    second = box.install("facefusion", FACEFUSION_HOME=str(home), WEIGHTS="", **nothing)

    for ended in (first, second):
        assert ended.returncode == 1
        assert "does not start with" in ended.stderr
    assert (home / ".venv/unfinished").exists()
