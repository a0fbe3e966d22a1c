"""The files of an installation for others: deployments/team, the units, docs/production.md."""

import json
import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from prefect.settings import get_current_settings

from deployments.run_flow import load_flow, read_parameters
from tests.support.paths import ROOT
from tests.support.tree import blocks
from tests.system.team.installation import FILES, REDIS_SETTINGS, read_env

PAGE = ROOT / "docs" / "production.md"
TEXT = (FILES / "compose.yaml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)["services"]
DOCKERFILE = (FILES / "Dockerfile").read_text()
UNITS = sorted((ROOT / "deployments" / "systemd").glob("*.service"))
OWN = [unit for unit in UNITS if "host" not in unit.name]
HARDENED = re.compile(
    r"^(?:Protect|Private|NoNew|Restrict|Capab|Lock|UMask|StateDirectoryMode).*", re.MULTILINE
)
every_unit = pytest.mark.parametrize("unit", OWN, ids=lambda unit: unit.stem)


def test_prefect_understands_each_of_its_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is misspelt would be ignored."""
    settings = read_env(FILES / "prefect.env")
    known = get_current_settings().to_environment_variables(include_secrets=True).keys()
    foreign = {name for name in settings if name not in known} - {"DO_NOT_TRACK"}
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    read = type(get_current_settings())()

    assert foreign == set()
    assert read.server.events.retention_period.days == 7
    assert read.server.services.db_vacuum.retention_period.days == 90
    assert read.server.concurrency.lease_storage == "prefect_redis.lease_storage"


def test_each_server_gets_the_shared_settings_and_every_address_of_redis() -> None:
    addresses = {
        "PREFECT_SERVER_DATABASE_CONNECTION_URL",
        "PREFECT_REDIS_MESSAGING_URL",
        "PREFECT_REDIS_WORKER_CLEANUP_QUEUE_URL",
        "PREFECT_SERVER_DOCKET_URL",
        "PREFECT_SERVER_UI_API_URL",
    }
    for name in ("migration", "prefect-1", "prefect-2", "services"):
        assert COMPOSE[name]["env_file"] == "prefect.env"
        assert set(COMPOSE[name]["environment"]) == addresses


def test_servers_begin_after_the_migration_and_one_after_the_other() -> None:
    done = {"condition": "service_completed_successfully"}

    assert COMPOSE["migration"]["command"] == ["prefect", "server", "database", "upgrade", "-y"]
    assert COMPOSE["prefect-1"]["depends_on"]["migration"] == done
    assert COMPOSE["prefect-2"]["depends_on"]["prefect-1"] == {"condition": "service_healthy"}
    assert COMPOSE["services"]["depends_on"]["migration"] == done
    assert "--no-services" in COMPOSE["prefect-1"]["command"]


def test_clients_know_the_proxy_alone() -> None:
    named = re.findall(r"server (\S+):(\d+)", (FILES / "nginx.conf").read_text())

    assert {name for name, _ in named} <= set(COMPOSE)
    for name in ("worker-1", "worker-2", "register"):
        assert COMPOSE[name]["environment"]["PREFECT_API_URL"] == "http://proxy:4200/api"


def test_redis_writes_as_the_tests_have_it() -> None:
    command = " ".join(COMPOSE["redis"]["command"])

    assert [setting for setting in REDIS_SETTINGS if f"--{setting}" not in command] == []


def test_no_secret_stands_in_a_file_and_each_missing_one_is_named() -> None:
    passwords = re.findall(r"\$\{(\w*(?:PASSWORD|TOKEN|KEY)\w*)([^}]*)\}", TEXT)
    required = {name for name, default in passwords if default.startswith(":?")}

    assert {name for name, _ in passwords if not name.startswith("AWS_")} == required
    assert not re.search(r"(?i)(password|token|secret)=\w", TEXT + DOCKERFILE)
    assert "**/.env" in (FILES / "Dockerfile.dockerignore").read_text().splitlines()


def test_the_page_explains_each_variable_of_the_compose_file() -> None:
    rows = re.findall(r"(?m)^\| (`[A-Z_`, ]+) \|", PAGE.read_text().split("## Systemd")[0])
    explained = {name for row in rows for name in re.findall(r"[A-Z_]+", row)}

    assert explained == set(re.findall(r"\$\{(\w+)", TEXT))


def test_the_pages_lines_write_each_password_for_its_owner_alone(tmp_path: Path) -> None:
    console = next(block for block in blocks(PAGE, "console") if "umask" in block)
    lines = [line[2:] for line in console.splitlines() if ">.env" in line]
    for line in lines:
        subprocess.run(["bash", "-c", line], cwd=tmp_path, check=True)

    file = tmp_path / ".env"
    assert file.stat().st_mode & 0o777 == 0o600
    assert all(re.fullmatch("[0-9a-f]{64}", value) for value in read_env(file).values())
    needed = {name for name in re.findall(r"\$\{(\w+):\?", TEXT) if "FACEFUSION" not in name}
    assert set(read_env(file)) == needed


def test_the_image_has_what_the_flows_need_with_each_package_pinned() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    [pinned] = project["optional-dependencies"]["redis"]
    compiled = (ROOT / "requirements" / "team.txt").read_text()
    ignored = (FILES / "Dockerfile.dockerignore").read_text()

    assert f"\n{pinned} \\\n" in compiled
    assert "://" not in compiled
    assert DOCKERFILE.count("--require-hashes") == 2
    for copied in ("prefect.yaml", "flows", "requirements/team.txt"):
        assert f"!{copied}\n" in ignored


@every_unit
def test_a_unit_has_the_hardening_of_the_hosts_and_no_gpu(unit: Path) -> None:
    host = (unit.parent / "storycanvas-host.service").read_text()
    text = unit.read_text()

    assert set(HARDENED.findall(host)) <= set(HARDENED.findall(text))
    assert "PrivateDevices=yes" in text
    assert f"StateDirectory={unit.stem}\n" in text
    assert int(re.findall(r"^TimeoutStopSec=(\d+)$", text, re.MULTILINE)[0]) > 30
    assert not re.search(r"(?i)(password|token)=", text)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
@every_unit
def test_systemd_understands_a_unit(unit: Path, tmp_path: Path) -> None:
    copy = tmp_path / unit.name
    copy.write_text(re.sub(r"(?m)^ExecStart=\S+", "ExecStart=/bin/true", unit.read_text()))
    verified = subprocess.run(
        ["systemd-analyze", "verify", str(copy)], capture_output=True, text=True, check=False
    )

    assert (verified.returncode, verified.stderr) == (0, "")


@every_unit
def test_the_page_names_a_unit(unit: Path) -> None:
    assert unit.stem.removeprefix("storycanvas-").split("-")[-1] in PAGE.read_text()


def test_the_drain_begins_a_run_with_parameters_that_the_flow_takes() -> None:
    text = (UNITS[0].parent / "storycanvas-drain.service").read_text()
    [command] = re.findall(r"(?m)^ExecStart=\S+/storycanvas run (.+)$", text)
    flow, *words = command.split()

    assert read_parameters(load_flow(flow), words) == {"run_minutes": 720, "wait_seconds": None}


def test_json_in_the_shared_settings_is_read_by_systemd_as_it_stands() -> None:
    [value] = [value for value in read_env(FILES / "prefect.env").values() if value[0] == "{"]

    assert json.loads(value) == {"prefect.flow-run.heartbeat": 86400}
