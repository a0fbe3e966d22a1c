"""Every command that a page shows is understood by its program, or is an exception with a reason.

Help is printed for real, also that of each flow (tests/unit/deployments/test_cli.py), and so are
the recipes of make. What would start servers, change a database or take hours is read by the parser
that the program itself has. What is typed into PowerShell needs Windows; of that, the options of
the host and the files are checked (tests/unit/tree/test_gpu_host_page.py).
"""

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest
import yaml
from cyclopts import MissingArgumentError

from deployments.cli import app
from deployments.run_flow import load_flow, read_parameters
from storycanvas.host.command_line import host_parser
from storycanvas.host.doctor.command import doctor_parser
from tests.support.paths import ROOT
from tests.support.tree import blocks, pages, prose

Words = Sequence[str]

SYSTEM = "a program of the operating system, which needs root, systemd or another machine"
CONSOLE = "a word of the shell, or a program that comes with it"
EXCEPTIONS = {
    "apt-get": SYSTEM,
    "chmod": CONSOLE,
    "conda": "another way to install Python, which is not needed here",
    "cd": CONSOLE,
    "echo": CONSOLE,
    "export": CONSOLE,
    "ffmpeg": "a program that FaceFusion needs, and this project does not start",
    "getent": SYSTEM,
    "head": CONSOLE,
    "install": SYSTEM,
    "journalctl": SYSTEM,
    "mkdir": CONSOLE,
    "mongodump": "one of MongoDB's tools, which are not part of the bundled server",
    "mongorestore": "one of MongoDB's tools, which are not part of the bundled server",
    "mongosh": "MongoDB's own shell, which is not part of the bundled server",
    "namei": SYSTEM,
    "nano": "an editor",
    "openssl": SYSTEM,
    "pg_dump": "a program of PostgreSQL; tests/system/team runs it",
    "pg_restore": "a program of PostgreSQL; tests/system/team runs it",
    "sed": CONSOLE,
    "ss": SYSTEM,
    "ssh": "needs another machine",
    "systemctl": SYSTEM,
    "systemd-run": SYSTEM,
    "ufw": SYSTEM,
    "umask": CONSOLE,
}
FACEFUSIONS_OWN = "facefusion.py"
"""FaceFusion's program, which lies in its own checkout."""
PREFECT_COMMANDS = [
    "deployment run",
    "worker start",
    "block register",
    "deploy",
    "server services start",
    "server database upgrade",
]
VARIABLE = re.compile(r"\w+=\S*")


class Command(NamedTuple):
    """A command and where it stands."""

    page: Path
    words: tuple[str, ...]

    @property
    def program(self) -> str:
        return self.words[0].rpartition("/")[2]


def commands(page: Path) -> Iterator[Command]:
    """Read what stands after a prompt, and what a sentence has in backticks of our programs."""
    lines = [
        line[2:]
        for block in blocks(page, "console")
        for line in block.replace("\\\n", " ").splitlines()
        if line.startswith(("$ ", "# "))
    ]
    lines += [
        line
        for block in blocks(page, "bash")
        for line in block.replace("\\\n", " ").splitlines()
        if line.strip()
    ]
    for line in lines:
        yield from _commands(page, line)
    for line in re.findall(r"`([^`\n]+)`", prose(page)):
        if line.split()[0].rpartition("/")[2] in CHECKS and " " in line:
            yield from _commands(page, line)


def _commands(page: Path, line: str) -> Iterator[Command]:
    for part in re.split(r" && | \| |; ", line.strip("()").removesuffix("&")):
        words = shlex.split(part, comments=True)
        while words and VARIABLE.fullmatch(words[0]):
            words.pop(0)
        if words:
            yield Command(page, tuple(words))


def check_make(command: Command) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert targets_of(command) <= targets


def targets_of(command: Command) -> set[str]:
    return {word for word in command.words[1:] if not VARIABLE.fullmatch(word)}


def check_storycanvas(command: Command) -> None:
    words = command.words[1:]
    with suppress(MissingArgumentError):  # prose may name a command without its argument
        app.parse_args(words, exit_on_error=False, print_error=False)
    flow = words[1] if words[0] == "run" and len(words) > 1 else "FLOW"
    if flow == "FLOW" or "--help" in words or is_written_there(flow, command.page):
        return
    read_parameters(load_flow(flow), words[2:])


def is_written_there(flow: str, page: Path) -> bool:
    """Whether the page has the reader write this flow."""
    return f"`flows/{flow}.py`:\n\n```" in page.read_text()


def check_python(command: Command) -> None:
    if command.words[1:2] == ("-m",):
        module = command.words[2]
        assert find_spec(module) is not None
        files = [word for word in command.words[3:] if module == "pytest" and "/" in word]
    else:
        files = [word for word in command.words[1:2] if word != FACEFUSIONS_OWN]
    assert [file for file in files if not (ROOT / file.partition("::")[0]).exists()] == []


def check_pip(command: Command) -> None:
    words = command.words
    named = [words[at + 1] for at, word in enumerate(words) if word == "-r"]
    assert [file for file in named if not (ROOT / file).is_file()] == []


def check_host(command: Command) -> None:
    doctor = command.words[1:2] == ("doctor",)
    parser = doctor_parser() if doctor else host_parser()
    assert "engine" in parser.parse_args([*command.words[1 + doctor :]])


def check_installation(command: Command) -> None:
    script = (ROOT / "deployments" / "host" / "install.sh").read_text()
    steps = re.findall(r"^    ([\w |]+)\) \"\$step\" ;;$", script, re.MULTILINE)[0].split(" | ")
    assert set(command.words[1:]) <= {*steps}


def check_compose(command: Command) -> None:
    folder = "team" if command.page.stem == "production" else "host"
    compose = yaml.safe_load((ROOT / "deployments" / folder / "compose.yaml").read_text())
    assert command.words[1] == "compose"
    action, *rest = command.words[2:]
    assert action in {"build", "logs", "ps", "run", "up"}
    named = [word for word in rest if not word.startswith("-")][:1]
    assert {*named} <= {*compose["services"]}


def check_curl(command: Command) -> None:
    """Compare address and method with the document of the host's contract."""
    url = next(word for word in command.words if word.startswith("http://"))
    path = re.sub(r"<\w+>", "{}", urlsplit(url).path)
    words = command.words
    sends = {"-d", "-F", "--data-binary"} & {*words}
    method = words[words.index("-X") + 1] if "-X" in words else ("POST" if sends else "GET")
    document = json.loads((ROOT / "docs" / "host-api.json").read_text())["paths"]
    known = {re.sub(r"\{\w+\}", "{}", known): found for known, found in document.items()}
    assert method.lower() in known[path]


def check_prefect(command: Command) -> None:
    """Compare a run with the deployments and their parameters; options have a test of their own."""
    words = command.words[1:]
    assert any(" ".join(words).startswith(known) for known in PREFECT_COMMANDS)
    if words[:2] != ("deployment", "run"):
        return
    flow, name = words[2].split("/")
    assert words[2] in deployments()
    assert name.removesuffix("-standing") == flow
    given = [words[at + 1].split("=", 1) for at, word in enumerate(words) if word == "-p"]
    parameters = [word for name, text in given for word in (f"--{name}", text)]
    read_parameters(load_flow(flow), parameters)


@cache
def deployments() -> frozenset[str]:
    listed = yaml.safe_load((ROOT / "prefect.yaml").read_text())["deployments"]
    names = [str(deployment["name"]) for deployment in listed]
    return frozenset(f"{name.removesuffix('-standing')}/{name}" for name in names)


CHECKS: dict[str, Callable[[Command], None]] = {
    "curl": check_curl,
    "docker": check_compose,
    "install.sh": check_installation,
    "make": check_make,
    "pip": check_pip,
    "prefect": check_prefect,
    "python": check_python,
    "storycanvas": check_storycanvas,
    "storycanvas-host": check_host,
}


@cache
def shown() -> tuple[Command, ...]:
    """Every command of every page, each once a page."""
    return tuple(dict.fromkeys(command for page in pages() for command in commands(page)))


def checked(program: str) -> list[Command]:
    """Commands of a program, each once."""
    return [*{command.words: command for command in shown() if command.program == program}.values()]


@pytest.mark.parametrize("program", CHECKS)
def test_every_command_is_understood_by_its_program(program: str) -> None:
    found = checked(program)

    assert found
    for command in found:
        CHECKS[program](command)


def test_make_prints_the_recipes_of_all_targets() -> None:
    named = sorted(set().union(*map(targets_of, checked("make"))))
    asked = ["make", "--dry-run", *named]
    apart = {name: value for name, value in os.environ.items() if "MAKE" not in name}
    ran = subprocess.run(asked, cwd=ROOT, env=apart, capture_output=True, text=True, check=False)

    assert len(named) > 10
    assert (ran.returncode, ran.stderr) == (0, "")


def test_every_other_command_is_an_exception_with_a_reason() -> None:
    others = {command.program for command in shown()} - CHECKS.keys()

    assert others - EXCEPTIONS.keys() == set()


@pytest.mark.parametrize("program", EXCEPTIONS)
def test_an_exception_is_used(program: str) -> None:
    used = {command.program for command in shown()}
    named = any(re.search(rf"`{program} ", prose(page)) for page in pages())

    assert program in used or named


HELP_OF_EACH = """
import runpy, sys
for command in sys.argv[1:]:
    sys.argv = ["prefect", *command.split(), "--help"]
    try:
        runpy.run_module("prefect", run_name="__main__")
    except SystemExit as end:
        assert not end.code, command
    print("---")
"""


@pytest.fixture(scope="module")
def prefect_help() -> dict[str, str]:
    """What each command of Prefect prints; one process, since it takes 2 s to start."""
    printed = subprocess.run(
        [sys.executable, "-c", HELP_OF_EACH, *PREFECT_COMMANDS],
        env={"PATH": "/usr/bin:/bin", "COLUMNS": "200", "HOME": "/nonexistent"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return dict(zip(PREFECT_COMMANDS, printed.split("---\n"), strict=False))


@pytest.mark.parametrize("command", PREFECT_COMMANDS)
def test_every_option_of_prefects_commands_exists(
    command: str, prefect_help: dict[str, str]
) -> None:
    typed = [
        re.findall(r" (--?[a-z-]+)", line)
        for page in pages()
        for line in re.findall(rf"prefect {command}\b(.*?)(?:`|$)", page.read_text(), re.MULTILINE)
    ]

    assert typed
    assert [
        option for options in typed for option in options if option not in prefect_help[command]
    ] == []


def test_make_help_names_every_command_of_the_readme() -> None:
    listed = subprocess.run(
        ["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    named = re.findall(r"`make ([a-z]+)`", (ROOT / "README.md").read_text())

    assert named
    assert [target for target in named if f"make {target}\t" not in listed] == []


@pytest.mark.parametrize(
    "line",
    [
        "make tset",
        "storycanvas run age-progression --character-id x --agess 12",
        "storycanvas regsiter",
        "python -m benchmarks.nothing",
        "pip install -r requirements/none.txt",
        "storycanvas-host --prot 9002",
        "prefect deployment run age-progression/age-progress -p character_id=x",
        "prefect deployment run age-progression/age-progression -p character=x",
        "curl http://127.0.0.1:9002/api/v1/statuss",
        "deployments/host/install.sh weigths",
        "docker compose up hots",
    ],
)
def test_a_command_that_is_misspelt_is_noticed(line: str) -> None:
    [command] = _commands(ROOT / "README.md", line)

    with pytest.raises((Exception, SystemExit)):
        CHECKS[command.program](command)
