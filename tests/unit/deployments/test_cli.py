"""The command `storycanvas`: its help, the flows that it knows, and how it reads parameters."""

import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

from deployments import register
from deployments.cli import app
from deployments.run_flow import (
    USAGE_ERROR,
    UsageError,
    flow_names,
    load_flow,
    read_parameters,
    run_flow,
)
from deployments.stack import Stack
from storycanvas.services.record import Registered, read_note
from tests.support.paths import ROOT

CHARACTER = ["--character-id", "007"]


def test_help_lists_every_command_without_importing_prefect() -> None:
    code = (
        "import sys; from deployments.cli import app; app('--help', result_action='return_value');"
        "sys.exit('prefect' in sys.modules)"
    )

    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert ended.returncode == 0, ended.stderr
    for name in ("up", "down", "status", "demo", "run", "guard", "blocks", "register"):
        assert f"│ {name} " in ended.stdout


@pytest.mark.parametrize("command", ["up", "demo", "guard reset", "register"])
def test_each_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    app(f"{command} --help", result_action="return_value")

    assert f"storycanvas {command}" in capsys.readouterr().out


@pytest.mark.parametrize(
    "command", ["register", "register --limits-only", "guard status", "blocks check"]
)
@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        (None, "No Prefect server is named"),
        ("http://user:hunter2@127.0.0.1:9/api", "127.0.0.1:9/api does not answer"),
    ],
    ids=["not named", "not there"],
)
def test_a_prefect_server_that_is_not_there_is_one_line(
    command: str, url: str | None, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with temporary_settings({PREFECT_API_URL: url}):
        code = app(command, result_action="return_value")

    error = capsys.readouterr().err
    assert code == 1
    assert sentence in error
    assert error.count("\n") == 1
    assert "hunter2" not in error


@pytest.mark.parametrize("words", [["register"], ["guard", "status"]], ids=lambda words: words[0])
def test_a_command_is_started_as_a_module_in_any_directory(
    words: list[str], tmp_path: Path
) -> None:
    argv = [sys.executable, "-m", f"deployments.{words[0]}", *words[1:]]
    environment = {"PYTHONPATH": str(ROOT), "HOME": str(tmp_path), "PATH": os.environ["PATH"]}

    ended = subprocess.run(
        argv, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )

    assert "No Prefect server is named" in ended.stderr
    assert ended.returncode == 1


def test_registration_takes_the_checkout_it_is_started_in_where_the_package_is_a_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(register, "CODE", tmp_path)
    monkeypatch.chdir(ROOT)
    assert register.checkout() == ROOT

    monkeypatch.chdir(tmp_path)
    Path("prefect.yaml").write_text("name: another-project\n")
    with temporary_settings({PREFECT_API_URL: "http://127.0.0.1:9/api"}):
        assert app("register", result_action="return_value") == 1

    error = capsys.readouterr().err
    assert f"{tmp_path} is none; change to the checkout's directory" in error
    assert error.count("\n") == 1


def test_a_stack_lets_the_blocks_follow_an_address_that_has_moved(tmp_path: Path) -> None:
    with ExitStack() as ending:
        stack = Stack(tmp_path, ending, print)
        stack.environment = dict.fromkeys(("MONGO_URL", "FACEFUSION_URL", "IMAGE_STORE"), "before")
        assert app.parse_args(stack.registration()[3:])[1].arguments == {"runs": False}
        stack.note_registered()
        assert app.parse_args(stack.registration()[3:])[1].arguments == {"runs": False}
        stack.environment |= dict.fromkeys(("MONGO_URL", "FACEFUSION_URL"), "after")

        _, bound, _ = app.parse_args(stack.registration()[3:])

    note = tmp_path / "registered.json"
    before = read_note(note, Registered)
    assert bound.arguments == {"moved_since": note, "runs": False}
    assert before
    assert before.moved(stack.environment) == ["MONGO_URL", "FACEFUSION_URL"]


@pytest.mark.parametrize("name", flow_names())
def test_every_flow_is_found_by_its_name_and_shows_its_parameters(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert load_flow(name).name == name

    assert run_flow([name, "--help"]) == 0

    assert f"storycanvas run {name}" in capsys.readouterr().out


def test_one_text_is_enough_for_a_list() -> None:
    words = ["--pictures", "group.jpg"]

    assert read_parameters(load_flow("detect-faces"), words) == {"pictures": ("group.jpg",)}


@pytest.mark.parametrize(
    ("words", "read"),
    [
        (CHARACTER, {"character_id": "007"}),
        ([*CHARACTER, "--force"], {"character_id": "007", "force": True}),
        ([*CHARACTER, "--no-force"], {"character_id": "007", "force": False}),
        ([*CHARACTER, "--priority=-5"], {"character_id": "007", "priority": -5}),
        ([*CHARACTER, "--ages", "[25, 45]"], {"character_id": "007", "ages": [25, 45]}),
        ([*CHARACTER, "--ages", "25", "--ages", "45"], {"character_id": "007", "ages": [25, 45]}),
        ([*CHARACTER, "--enhance", "null"], {"character_id": "007", "enhance": None}),
        (["--json", '{"character_id": "a", "ages": [12]}'], {"character_id": "a", "ages": [12]}),
        (["--json", '{"character_id": "a"}', *CHARACTER], {"character_id": "007"}),
    ],
)
def test_parameters_are_read_by_their_types(words: list[str], read: dict[str, object]) -> None:
    assert read_parameters(load_flow("age-progression"), words) == read


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ([], "needs --character-id"),
        ([*CHARACTER, "--agess", "3"], "no parameter 'agess'"),
        ([*CHARACTER, "--priority"], "--priority has no value"),
        ([*CHARACTER, "--priority", "soon"], "--priority 'soon'"),
        ([*CHARACTER, "45"], "write --name value"),
        (["--json", "[1]"], "--json needs an object"),
        (["--json", "{"], "--json cannot be read"),
    ],
)
def test_a_wrong_word_is_refused_with_the_reason(words: list[str], reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        read_parameters(load_flow("age-progression"), words)


def test_an_unknown_flow_is_refused_with_the_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_flow(["age"]) == USAGE_ERROR

    assert "age-progression" in capsys.readouterr().err
