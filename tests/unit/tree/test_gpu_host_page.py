import argparse
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from storycanvas.faces import errors
from storycanvas.faces.contract import HostStatus
from storycanvas.host.command_line import TOKEN_VARIABLE, host_parser
from storycanvas.host.doctor.command import doctor_parser
from storycanvas.host.engines.facefusion.process.installation import (
    HOME_VARIABLE,
    PYTHON_VARIABLE,
    SUPPORTED,
)
from tests.support.paths import ROOT

PAGE = (ROOT / "docs" / "gpu-host.md").read_text()
UNIT = ROOT / "deployments" / "systemd" / "storycanvas-host.service"
PROGRAM = re.compile(
    r"(?:^\$ |bin/|Scripts\\)storycanvas-host(?:\.exe)?( doctor)?((?: --[a-z-]+(?: [\w./:\\]+)?)*)",
    re.MULTILINE,
)
FROM_HOST = (
    errors.BadField,
    errors.TokenRefused,
    errors.PictureNotFound,
    errors.PictureTooLarge,
    errors.NotAPicture,
    errors.NoFace,
    errors.ContentRejected,
    errors.OutOfRange,
    errors.OperationUnsupported,
    errors.IdempotencyKeyReused,
    errors.HostFull,
    errors.EngineFailed,
    errors.HostNotReady,
    errors.PictureUnreachable,
    errors.OperationTimedOut,
)


def options(parser: argparse.ArgumentParser) -> set[str]:
    # There is no public list of a parser's options but its usage.
    return set(re.findall(r"--[a-z-]+", parser.format_usage()))


def blocks() -> str:
    return "\n".join(re.findall(r"```\w+\n(.*?)```", PAGE, re.DOTALL))


def commands() -> list[tuple[bool, list[str]]]:
    """Whether it is the doctor, and its options and values."""
    text = blocks().replace("\\\n", "") + UNIT.read_text()
    return [(bool(found[1]), found[2].split()) for found in PROGRAM.finditer(text)]


@pytest.mark.parametrize("option", sorted(options(host_parser())))
def test_the_page_has_every_option(option: str) -> None:
    assert f"| `{option}` |" in PAGE


def test_every_option_on_the_page_exists() -> None:
    named = set(re.findall(r"\| `(--[a-z-]+)` \|", PAGE))
    assert named == options(host_parser())


def test_the_defaults_on_the_page_are_those_of_the_program() -> None:
    parser = host_parser()
    named = dict(re.findall(r"\| `--([a-z-]+)` \| `([^`]*)` \|", PAGE))
    real = {name: parser.get_default(name.replace("-", "_")) for name in named}
    assert len(named) > 5
    assert {name: type(real[name])(text) for name, text in named.items()} == real


def test_every_command_of_the_program_is_understood() -> None:
    assert len(commands()) > 3
    for is_doctor, words in commands():
        parser = doctor_parser() if is_doctor else host_parser()
        assert "engine" in parser.parse_args(words)


def test_the_commands_use_files_that_are_there() -> None:
    named = set(re.findall(r"\b(?:requirements|deployments)[/\\][\w./@-]+", blocks()))
    assert {name.replace("\\", "/") for name in named} == {
        "requirements/host.txt",
        "requirements/weights.txt",
        "deployments/host",
        "deployments/host/install.sh",
    }
    assert all((ROOT / name.replace("\\", "/")).exists() for name in named)


@pytest.mark.parametrize("name", [TOKEN_VARIABLE, HOME_VARIABLE, PYTHON_VARIABLE])
def test_the_page_has_every_variable(name: str) -> None:
    assert f"| `{name}` |" in PAGE


@pytest.mark.parametrize("error", FROM_HOST)
def test_the_page_has_every_error(error: type[errors.FaceError]) -> None:
    assert f"| `{error.code}` | {error.status} |" in PAGE


def test_the_page_has_every_status() -> None:
    states = HostStatus.model_json_schema()["properties"]["status"]["enum"]
    assert [state for state in states if f"| `{state}` |" not in PAGE] == []


def test_the_page_names_the_versions_of_facefusion() -> None:
    assert f"FaceFusion {', '.join(SUPPORTED[:-1])} or {SUPPORTED[-1]} " in PAGE


def test_the_unit_leaves_time_to_stop_and_no_rights() -> None:
    unit = UNIT.read_text()
    assert int(re.findall(r"^TimeoutStopSec=(\d+)$", unit, re.MULTILINE)[0]) > 30
    for line in (
        "NoNewPrivileges=yes",
        "ProtectSystem=strict",
        "PrivateTmp=yes",
        "KillMode=mixed",
        "Restart=on-failure",
        "RestartPreventExitStatus=2",
    ):
        assert f"\n{line}\n" in unit
    assert f"{TOKEN_VARIABLE}=" not in unit


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
def test_systemd_understands_the_unit(tmp_path: Path) -> None:
    unit = tmp_path / UNIT.name
    unit.write_text(re.sub(r"(?m)^ExecStart=\S+", "ExecStart=/bin/true", UNIT.read_text()))
    verified = subprocess.run(
        ["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, check=False
    )
    assert (verified.returncode, verified.stderr) == (0, "")


def test_the_template_is_the_unit_with_a_port_a_folder_and_a_gpu_of_its_own() -> None:
    template = UNIT.with_name("storycanvas-host@.service").read_text()
    settings = [line for line in template.splitlines() if line and not line.startswith("#")]
    added = {
        "EnvironmentFile=/etc/storycanvas-host-%i.env",
        "Environment=CUDA_DEVICE_ORDER=PCI_BUS_ID",
    }
    shared = "\n".join(line for line in settings if line not in added)
    alike = shared.replace("storycanvas-host-%i", "storycanvas-host").replace(" of GPU %i", "")
    unit = [line for line in UNIT.read_text().splitlines() if line and not line.startswith("#")]
    assert added <= set(settings)
    assert alike.replace("--port ${HOST_PORT} ", "").splitlines() == unit
