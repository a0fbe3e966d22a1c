import json
import os
import shutil
import subprocess
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from storycanvas.host.doctor import command
from storycanvas.host.doctor.access import TokenFacts, collect_token
from storycanvas.host.doctor.command import run_doctor
from storycanvas.host.doctor.machine import PACKAGES, collect_storage
from tests.support.facefusion.checkouts import (
    make_checkout,
    make_programs,
    outline_environment,
)
from tests.support.facefusion.stand_in.checkout import HERE as STAND_IN
from tests.support.facefusion.stand_in.checkout import build_onnxruntime, write_stand_in
from tests.support.host.picture_server import PictureServer
from tests.support.host.pictures import encoded
from tests.support.host.started_host import PROGRAM, ROOT, StartedHost, environment

MADE_UP = "made-up"
ONNXRUNTIME = STAND_IN / "program" / "onnxruntime.py"
CUDA, CPU = "CUDAExecutionProvider", "CPUExecutionProvider"
NAME = "storycanvas-host.service"


@dataclass(frozen=True)
class Examined:
    """What the doctor returned and wrote."""

    status: int
    output: str

    @property
    def findings(self) -> dict[str, Any]:
        return {found["check"]: found for found in json.loads(self.output)["findings"]}


Doctor = Callable[..., Examined]


@pytest.fixture
def doctor(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Doctor:
    """Runs the doctor in this process, for a data folder of the test."""

    def examine(*arguments: str, port: str = "0", **variables: str) -> Examined:
        words = ["--data-dir", str(tmp_path), "--port", port, *arguments]
        status = run_doctor(words, environment() | variables)
        return Examined(status, capsys.readouterr().out)

    return examine


@pytest.fixture
def facefusion(tmp_path: Path) -> dict[str, str]:
    """A folder that claims to be FaceFusion, with an onnxruntime and without weights."""
    home = make_checkout(tmp_path / "facefusion")
    shutil.copy(ONNXRUNTIME, home)
    build_onnxruntime(home, [CUDA, CPU], works=[CUDA, CPU])
    programs = make_programs(tmp_path / "bin")
    return outline_environment(home, f"{programs}:{os.environ['PATH']}")


def run_program(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PROGRAM, "doctor", *arguments],
        cwd=ROOT, env=environment(), capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip


def test_a_machine_that_can_run_a_host_passes(tmp_path: Path) -> None:
    ended = run_program("--data-dir", str(tmp_path), "--port", "0")
    assert ended.returncode == 0
    assert ended.stderr == ""
    assert ended.stdout.splitlines()[-1].endswith(" ok, 0 with a warning, 0 failed.")
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_option_ends_with_the_usage() -> None:
    ended = run_program("--nothing")
    assert ended.returncode == 2
    assert "usage: storycanvas-host doctor" in ended.stderr


def test_every_check_of_facefusion_is_made(doctor: Doctor, facefusion: dict[str, str]) -> None:
    examined = doctor("--json", **facefusion)
    found = examined.findings
    assert json.loads(examined.output)["level"] == "failed"
    assert examined.status == 1
    assert found["facefusion"]["seen"].startswith("FaceFusion 3.8.1 in ")
    assert found["programs"]["level"] == "ok"
    assert found["gpu"]["seen"] == "a session has cuda, cpu; onnxruntime offers cuda, cpu"
    assert "2dfan4.onnx" in found["weights"]["seen"]
    assert "fetch_weights.py 2dfan4 arcface_w600k_r50" in found["weights"]["fix"]
    assert found["worker"]["level"] == "failed"
    assert "facefusion" in found["worker"]["seen"]
    assert "unmodified release of 3.5 to 3.8" in found["worker"]["fix"]


def test_a_facefusion_that_the_worker_fits_passes(
    doctor: Doctor, tmp_path: Path, facefusion: dict[str, str]
) -> None:
    write_stand_in(tmp_path / "home")
    found = doctor("--json", **facefusion | {"FACEFUSION_HOME": str(tmp_path / "home")}).findings
    assert (found["worker"]["level"], found["facefusion"]["level"]) == ("ok", "ok")


def test_what_cannot_be_loaded_at_the_start_is_named_with_the_command(
    doctor: Doctor, tmp_path: Path, facefusion: dict[str, str]
) -> None:
    write_stand_in(tmp_path / "home")
    place = facefusion | {"FACEFUSION_HOME": str(tmp_path / "home")}

    found = doctor("--json", "--preload", "detect,simswap_256", **place).findings["preload"]

    assert found["level"] == "warning"
    assert found["seen"].startswith("simswap_256 lacks crossface_simswap.hash, crossface_simswap")
    assert "simswap_256" in found["fix"].split()
    assert "preload" not in doctor("--json", **place).findings


def test_an_ini_file_that_asks_for_what_is_not_there_fails(
    doctor: Doctor, facefusion: dict[str, str]
) -> None:
    ini = Path(facefusion["FACEFUSION_HOME"]) / "facefusion.ini"
    ini.write_text("[execution]\nexecution_providers = tensorrt\n")
    assert "asks for tensorrt" in doctor("--json", **facefusion).findings["gpu"]["seen"]


def test_a_gpu_that_onnxruntime_was_built_for_and_cannot_use_is_not_ok(
    doctor: Doctor, facefusion: dict[str, str]
) -> None:
    build_onnxruntime(Path(facefusion["FACEFUSION_HOME"]), [CUDA, CPU], works=[CPU])
    gpu = doctor("--json", **facefusion).findings["gpu"]
    assert gpu["level"] == "failed"
    assert "a session that asks for cuda has the cpu alone" in gpu["seen"]
    assert "Failed to load library of CUDAExecutionProvider" in gpu["seen"]
    assert "CONDA_PREFIX" in gpu["fix"]


def test_what_tensorrt_compiles_needs_a_folder(doctor: Doctor, facefusion: dict[str, str]) -> None:
    home = Path(facefusion["FACEFUSION_HOME"])
    tensorrt = "TensorrtExecutionProvider"
    build_onnxruntime(home, [tensorrt, CPU], works=[tensorrt, CPU])
    assert doctor("--json", **facefusion).findings["gpu"]["level"] == "ok"
    (home / ".caches").write_text("no folder, and nothing can be executed in it")
    gpu = doctor("--json", **facefusion).findings["gpu"]
    assert gpu["level"] == "warning"
    assert "write to .caches" in gpu["fix"]


def test_the_cpu_alone_is_a_warning_unless_the_gpu_is_required(
    doctor: Doctor, facefusion: dict[str, str]
) -> None:
    build_onnxruntime(Path(facefusion["FACEFUSION_HOME"]), [CPU], works=[CPU])
    assert doctor("--json", **facefusion).findings["gpu"]["level"] == "warning"
    required = doctor("--json", "--require-gpu", **facefusion).findings["gpu"]
    assert required["level"] == "failed"


def test_an_ini_file_that_keeps_facefusion_from_starting_is_judged_first(
    doctor: Doctor, tmp_path: Path, facefusion: dict[str, str]
) -> None:
    write_stand_in(tmp_path / "home")
    ini = tmp_path / "home" / "facefusion.ini"
    ini.write_text("[execution]\nexecution_providers = cuda\n")
    found = doctor("--json", **facefusion | {"FACEFUSION_HOME": str(tmp_path / "home")}).findings
    assert list(found).index("gpu") < list(found).index("facefusion")
    assert "asks for cuda, but onnxruntime offers cpu" in found["gpu"]["seen"]
    for check in ("gpu", "facefusion"):
        assert "execution_providers" in found[check]["seen"] + found[check]["fix"]
        assert "requirements" not in found[check]["seen"]


def test_a_check_that_breaks_down_ends_in_a_finding(
    doctor: Doctor, monkeypatch: pytest.MonkeyPatch, facefusion: dict[str, str]
) -> None:
    def closed(*_: object) -> None:
        raise PermissionError(13, "Permission denied", facefusion["FACEFUSION_HOME"])

    def broken(*_: object) -> None:
        raise RuntimeError("no reason")

    monkeypatch.setattr(command, "find_home", closed)
    monkeypatch.setattr(command, "collect_clock", broken)
    found = doctor("--json", **facefusion).findings
    assert "Permission denied" in found["facefusion"]["seen"]
    assert "r and x on every folder above it" in found["facefusion"]["fix"]
    assert "the check broke down (RuntimeError: no reason)" in found["clock"]["seen"]
    assert found["python"]["level"] == "ok"


def test_all_that_is_wrong_is_found_at_once(doctor: Doctor, tmp_path: Path) -> None:
    examined = doctor(
        "--json", "--host", "0.0.0.0", "--data-dir", __file__,  # noqa: S104 - refused
        "--allow-root", str(tmp_path / "missing"),
        "--engine", "facefusion", FACEFUSION_HOME=str(tmp_path),
    )  # fmt: skip
    found = examined.findings
    failed = {name for name, finding in found.items() if finding["level"] == "failed"}
    assert examined.status == 1
    assert failed >= {"settings", "token", "allow-root", "data-dir", "facefusion"}


def test_the_folder_of_published_outputs_is_examined(doctor: Doctor, tmp_path: Path) -> None:
    shown = tmp_path / "shown"
    shown.mkdir()
    there = doctor("--json", "--publish", f"{shown}=/uploads/faces/").findings["allow-root"]
    assert (there["level"], there["seen"]) == ("ok", f"outputs are shown from {shown}")

    shown.rmdir()
    gone = doctor("--json", "--publish", f"{shown}=/uploads/faces/").findings["allow-root"]
    assert (gone["level"], gone["seen"]) == ("failed", f"{shown} is not a folder")


def test_a_host_that_runs_already_is_recognised(doctor: Doctor, host_process: StartedHost) -> None:
    port = host_process.url.rpartition(":")[2]
    found = doctor("--json", "--data-dir", str(host_process.data_dir), port=port).findings
    assert found["port"]["level"] == "ok"
    assert "a host answers ok, engine preview 3" in found["port"]["seen"]


def test_another_host_on_the_port_is_not_taken_for_this_one(
    doctor: Doctor, host_process: StartedHost
) -> None:
    found = doctor("--json", port=host_process.url.rpartition(":")[2]).findings["port"]
    assert found["level"] == "failed"
    assert "taken by a host with another --data-dir" in found["seen"]


def test_another_program_on_the_port_is_recognised(
    doctor: Doctor, picture_server: PictureServer
) -> None:
    examined = doctor("--json", port=picture_server.address.rpartition(":")[2])
    assert examined.findings["port"]["level"] == "failed"
    assert examined.status == 1


def test_what_the_host_keeps_is_counted(tmp_path: Path) -> None:
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "one.png").write_bytes(encoded())
    facts = collect_storage(tmp_path)
    assert (facts.used_bytes, facts.writable) == (len(encoded()), True)


@pytest.mark.parametrize("form", [[], ["--json"]], ids=["lines", "JSON"])
@pytest.mark.parametrize("token", [MADE_UP, 5 * MADE_UP], ids=["short", "long"])
def test_the_token_is_never_shown(
    doctor: Doctor, caplog: pytest.LogCaptureFixture, form: list[str], token: str
) -> None:
    examined = doctor(*form, FACEFUSION_TOKEN=token)
    assert examined.status == 0
    assert f"{len(token)} characters" in examined.output
    assert MADE_UP not in examined.output + caplog.text


@pytest.mark.parametrize(
    ("unit", "mode", "units", "open_files"),
    [
        ("[Service]\nEnvironment=FACEFUSION_TOKEN=made-up\n", 0o600, 1, 0),
        ('[Service]\n Environment = "A=b" "FACEFUSION_TOKEN=made-up"\n', 0o600, 1, 0),
        ("[Service]\n# Environment=FACEFUSION_TOKEN=made-up\n", 0o600, 0, 0),
        ("[Service]\nEnvironmentFile={file}\n", 0o600, 0, 0),
        ("[Service]\nEnvironmentFile=-{file}\n", 0o640, 0, 1),
        ("[Service]\nEnvironmentFile={file}.missing\n", 0o644, 0, 0),
    ],
    ids=["in it", "quoted", "comment", "closed file", "open file", "no file"],
)
def test_a_token_that_others_can_read_is_found(
    tmp_path: Path, unit: str, mode: int, units: int, open_files: int
) -> None:
    file = tmp_path / "environment"
    file.write_text(f"FACEFUSION_TOKEN={MADE_UP}\n")
    file.chmod(mode)
    (tmp_path / f"{NAME}.d").mkdir()
    (tmp_path / f"{NAME}.d" / "own.conf").write_text(unit.format(file=file))
    facts = collect_token("::", {"FACEFUSION_TOKEN": MADE_UP}, [tmp_path])
    assert (len(facts.units), len(facts.open_files)) == (units, open_files)


@pytest.mark.parametrize(
    ("token", "sendable"),
    [("made-up", True), (" made-up", False), ("made-up\n", False), ("mäde-up", False)],
    ids=["plain", "blank", "line end", "umlaut"],
)
def test_a_token_that_no_header_can_carry_is_found(token: str, sendable: bool) -> None:
    facts = collect_token("127.0.0.1", {"FACEFUSION_TOKEN": token}, [])
    assert facts == TokenFacts(True, len(token), sendable)


def test_the_checked_packages_are_those_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    named = [*project["dependencies"], *project["optional-dependencies"]["host"]]
    assert sorted(PACKAGES) == sorted(name.partition(">")[0] for name in named)


@pytest.mark.skipif(os.name != "posix", reason="closes a pipe")
def test_a_reader_that_ends_early_is_no_failure_of_the_doctor(tmp_path: Path) -> None:
    command = [*PROGRAM, "doctor", "--port", "0", "--data-dir", str(tmp_path)]
    with subprocess.Popen(
        command, cwd=ROOT, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as running:
        assert running.stdout is not None
        running.stdout.close()
        assert running.stderr is not None
        assert running.stderr.read() == b""
    assert running.returncode == 0


def test_named_tokens_let_other_machines_in(doctor: Doctor, tmp_path: Path) -> None:
    file = tmp_path / "tokens.toml"
    file.write_text("[app]\ntoken = 'made-up-token-of-the-app'\n")
    file.chmod(0o600)
    arguments = ["--host", "0.0.0.0", "--named-tokens", str(file), "--json"]  # noqa: S104 - examined
    assert doctor(*arguments).findings["token"]["seen"] == "1 by name"

    file.chmod(0o644)
    examined = doctor(*arguments)
    assert examined.status == 1
    assert "mode 644" in examined.findings["settings"]["seen"]
    assert "made-up-token" not in examined.output
