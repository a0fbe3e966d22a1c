"""The script, the image, the compose file and the units install one and the same host."""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from storycanvas.host.command_line import host_parser
from storycanvas.host.doctor.command import doctor_parser
from storycanvas.host.engines.facefusion.drivers.versions import version_of
from storycanvas.host.tokens import read_tokens
from tests.support.paths import ROOT

HERE = ROOT / "deployments" / "host"
SCRIPT = (HERE / "install.sh").read_text()
DOCKERFILE = (HERE / "Dockerfile").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load((HERE / "compose.yaml").read_text())
UNIT = (ROOT / "deployments" / "systemd" / "storycanvas-host.service").read_text()
DEFAULTS = dict(re.findall(r'^: "\$\{(\w+):=([^}]*)\}"', SCRIPT, re.MULTILINE))
BIN = Path(sys.executable).parent
CHECKS = {
    "shellcheck": ["shellcheck", "deployments/host/install.sh"],
    "hadolint": ["hadolint", "deployments/host/Dockerfile", "deployments/team/Dockerfile"],
    "compose": [
        *("check-jsonschema", "--builtin-schema", "vendor.compose-spec"),
        *("deployments/host/compose.yaml", "deployments/team/compose.yaml"),
    ],
}


def instruction(name: str) -> str:
    """Return the only instruction of this name outside of others, its lines joined."""
    joined = DOCKERFILE.replace("\\\n", "")
    (found,) = re.findall(rf"(?m)^{name} (.+)$", joined)
    return str(found)


def options(words: list[str]) -> dict[str, Any]:
    return vars(host_parser().parse_args(words))


def of_unit() -> list[str]:
    (command,) = re.findall(r"(?m)^ExecStart=(.+)$", UNIT)
    return shlex.split(command.removesuffix(" $HOST_OPTIONS"))


@pytest.mark.parametrize("name", CHECKS)
def test_the_files_are_well_formed(name: str) -> None:
    program, *words = CHECKS[name]
    ended = subprocess.run(
        [BIN / program, *words], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_make_check_checks_them_the_same_way() -> None:
    recipe = (ROOT / "Makefile").read_text().split("\ncheck:")[1].split("\n\n")[0]
    joined = recipe.replace("\\\n\t\t", "")

    assert [" ".join(words) for words in CHECKS.values() if " ".join(words) not in joined] == []


def test_image_and_unit_start_the_host_with_the_same_program_and_folder() -> None:
    (program,), image = json.loads(instruction("ENTRYPOINT")), json.loads(instruction("CMD"))
    unit_program, *unit = of_unit()

    assert program == unit_program == f"{DEFAULTS['STORYCANVAS_HOME']}/venv/bin/storycanvas-host"
    assert options(image) == options(unit) | {"host": "0.0.0.0", "require_gpu": True}  # noqa: S104


def test_the_compose_file_starts_what_the_image_does_and_adds_the_operators_options() -> None:
    command = COMPOSE["services"]["host"]["command"].split()

    assert command[-1] == "${HOST_OPTIONS:-}"
    assert command[:-1] == json.loads(instruction("CMD"))


def test_the_image_takes_every_step_from_the_script() -> None:
    runs = re.findall(r"(?m)^RUN (\S+) (.+)$", DOCKERFILE)
    names = dict(word.split("=", 1) for word in instruction("ENV").split())

    assert {program for program, _ in runs} == {
        f"{DEFAULTS['STORYCANVAS_HOME']}/src/deployments/host/install.sh"
    }
    assert [step for _, steps in runs for step in steps.split()] == [
        "packages", "user", "facefusion", "host",
    ]  # fmt: skip
    for name in ("STORYCANVAS_HOME", "FACEFUSION_HOME"):
        assert names[name] == DEFAULTS[name]
    assert names["SERVICE_UID"] == instruction("USER") != "0"


def test_facefusion_is_pinned_to_one_supported_tag_everywhere() -> None:
    arguments = dict(re.findall(r"(?m)^ARG (\w+)=(.+)$", DOCKERFILE))
    composed = COMPOSE["services"]["host"]["build"]["args"]

    for name in ("FACEFUSION_TAG", "ONNXRUNTIME"):
        assert composed[name] == f"${{{name}:-{DEFAULTS[name]}}}"
        assert arguments[name] == DEFAULTS[name]
    assert version_of(DEFAULTS["FACEFUSION_TAG"])
    # FaceFusion 3.8.1's installer has a build for each of the two.
    assert f":{DEFAULTS['ONNXRUNTIME'].removeprefix('cuda@')}." in arguments["CUDA_IMAGE"]


def test_what_is_written_lies_on_volumes_and_weights_cannot_be_written_by_the_host() -> None:
    host, weights = (COMPOSE["services"][name] for name in ("host", "weights"))
    volumes = json.loads(instruction("VOLUME"))

    assert {line.split(":")[1] for line in host["volumes"]} == set(volumes)
    assert "weights:/var/lib/facefusion-weights:ro" in host["volumes"]
    assert weights["volumes"] == ["weights:/var/lib/facefusion-weights"]
    assert "WEIGHTS=/var/lib/facefusion-weights" in instruction("ENV").split()
    assert f"{DEFAULTS['FACEFUSION_HOME']}/.caches" in volumes
    assert f"StateDirectory={Path(volumes[0]).name}" in UNIT


def test_the_container_has_the_limits_of_the_unit_and_one_gpu() -> None:
    host = COMPOSE["services"]["host"]
    (device,) = host["deploy"]["resources"]["reservations"]["devices"]

    assert f"LimitNOFILE={host['ulimits']['nofile']}\n" in UNIT
    assert f"TimeoutStopSec={host['stop_grace_period'].removesuffix('s')}\n" in UNIT
    assert (host["cap_drop"], host["init"]) == (["ALL"], True)
    assert device == {"driver": "nvidia", "device_ids": ["${GPU:-0}"], "capabilities": ["gpu"]}
    assert host["ports"] == ["${HOST_ADDRESS:-127.0.0.1}:${HOST_PORT:-9002}:9002"]


def section(heading: str) -> str:
    page = (ROOT / "docs" / "gpu-host.md").read_text()
    (found,) = re.findall(rf"(?ms)^## {heading}\n(.*?)(?=^## )", page)
    return str(found)


def test_the_guide_starts_services_that_the_compose_file_has() -> None:
    text = section("Docker")
    typed = re.findall(r"docker compose run --rm (\S+)(.*?)(?:`|$)", text, re.MULTILINE)
    up = r"(?m)docker compose (?:--project-name \S+ )?up --detach (\S+?)[`.]*(?= \||$)"
    named = re.findall(up, text)
    rows = re.findall(r"(?m)^\| (`[A-Z_`, ]+) \|", text)
    variables = {name for row in rows for name in re.findall(r"[A-Z_]+", row)}
    doctors = [words.split()[1:] for name, words in typed if name == "host"]

    assert {name for name, _ in typed} == set(COMPOSE["services"])
    assert set(named) == {"host"}
    assert all(doctor_parser().parse_args(words).require_gpu for words in doctors)
    used = set(re.findall(r"\$\{(\w+)", (HERE / "compose.yaml").read_text()))
    assert variables | {"FACEFUSION_TOKEN"} == used


def test_the_guides_token_of_the_image_is_one_line_that_its_owner_alone_reads(
    tmp_path: Path,
) -> None:
    (line,) = re.findall(r"(?m)^\$ (\(umask .*)$", section("Docker"))
    subprocess.run(["bash", "-c", line], cwd=tmp_path, check=True)

    assert (tmp_path / ".env").stat().st_mode & 0o777 == 0o600
    assert re.fullmatch(r"FACEFUSION_TOKEN=[0-9a-f]{64}\n", (tmp_path / ".env").read_text())


def test_the_guides_file_of_named_tokens_is_read(tmp_path: Path) -> None:
    (text,) = re.findall(r"(?ms)^```toml\n(.*?)^```", section("Firewall, tokens and TLS"))
    file = tmp_path / "tokens.toml"
    tokens = iter(("made-up-token-of-the-app", "made-up-token-of-the-batch"))
    file.write_text(re.sub(r'"what [^"]+"', lambda _: f'"{next(tokens)}"', text))
    file.chmod(0o600)

    assert list(read_tokens(file)) == ["app", "batch"]


def test_nothing_secret_gets_into_the_image() -> None:
    ignored = (HERE / "Dockerfile.dockerignore").read_text().splitlines()

    assert ignored[1] == "*"
    assert "**/.env" in ignored
    assert ".env" in (ROOT / ".gitignore").read_text().splitlines()
    assert "FACEFUSION_TOKEN" not in DOCKERFILE
