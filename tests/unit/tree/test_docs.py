"""What the documentation names exists: links, commands, files, variables, flows, code."""

import ast
import re
import shlex
import subprocess
import sys
import textwrap
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml
from cyclopts import MissingArgumentError

import flows
import storycanvas.faces.recipes
from blocks.environment import Environment
from db.schema.collections import COLLECTIONS
from deployments.cli import app
from deployments.run_flow import load_flow, read_parameters
from tests.support.database_page import main as database_page
from tests.support.paths import ROOT
from tests.support.tree import files

DOCS = ROOT / "docs"
PAGES = (ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted(DOCS.glob("*.md")))
ROOMS = "benchmarks|blocks|db|deployments|docs|flows|requirements|samples|storycanvas|tasks|tests"
FENCE = re.compile(r"^ *```(\w*)[^\n]*\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)")
FLOWS = [
    str(deployment["name"])
    for deployment in yaml.safe_load((ROOT / "prefect.yaml").read_text())["deployments"]
]
every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)


@cache
def prose(page: Path) -> str:
    """The page without its blocks of code."""
    return FENCE.sub("", page.read_text())


def blocks(page: Path, *languages: str) -> list[str]:
    return [
        textwrap.dedent(text)
        for language, text in FENCE.findall(page.read_text())
        if language in languages
    ]


def commands(page: Path) -> str:
    """What a reader may type: the words in backticks, and the lines of consoles."""
    return "\n".join([*re.findall(r"`([^`\n]+)`", prose(page)), *blocks(page, "console")])


@cache
def anchors(page: Path) -> set[str]:
    """Anchors as GitHub makes them from headings."""
    headings = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-") for text in headings}


@every_page
def test_every_link_leads_somewhere(page: Path) -> None:
    broken = []
    for target in LINK.findall(prose(page)):
        if "://" in target:
            continue
        name, _, anchor = target.partition("#")
        file = (page.parent / name).resolve() if name else page
        if not file.exists() or (anchor and anchor not in anchors(file)):
            broken.append(target)

    assert broken == []


@every_page
def test_every_path_of_this_repository_exists(page: Path) -> None:
    named = re.findall(rf"(?<![\w/.-])((?:{ROOMS})/[\w./@-]*\w)(?![\w<*])", commands(page))
    files_by_end = re.findall(r"`((?!facefusion/)[\w/]+\.py)`", prose(page))
    missing = [path for path in named if not (ROOT / path).exists()]
    missing += [end for end in files_by_end if not any(map(ends_with(end), files()))]

    assert [path for path in missing if not is_new(path, page)] == []


def ends_with(end: str) -> Callable[[Path], bool]:
    return lambda path: path.as_posix().endswith(f"/{end}")


def is_new(path: str, page: Path) -> bool:
    """Whether the reader is to make this file: the page has its name before a block."""
    return bool(re.search(rf"`{re.escape(path)}`:\n\n```", page.read_text()))


@every_page
def test_every_target_of_make_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"(?:^|\$ |`)make (?:\w+=\S+ )*([a-z-]+)", commands(page), re.MULTILINE))

    assert named - targets == set()


@every_page
def test_every_module_that_is_run_exists(page: Path) -> None:
    named = set(re.findall(r"python\S* -m ([\w.]+)", commands(page))) - {"venv", "pip", "pytest"}

    assert [module for module in named if find_spec(module) is None] == []


@every_page
def test_every_command_of_storycanvas_is_understood(page: Path) -> None:
    lines = re.findall(r"^(?:\$ )?(?:\S*bin/)?storycanvas (.+)$", commands(page), re.MULTILINE)
    for words in (shlex.split(line, comments=True) for line in lines):
        with suppress(MissingArgumentError):  # prose may name a command without its argument
            app.parse_args(words, exit_on_error=False, print_error=False)
        flow = words[1] if words[0] == "run" and len(words) > 1 else "FLOW"
        if flow == "FLOW" or "--help" in words or is_new(f"flows/{flow}.py", page):
            continue
        read_parameters(load_flow(flow), words[2:])


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
PREFECT_COMMANDS = ["deployment run", "worker start", "automation create"]


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
        for page in PAGES
        for line in re.findall(rf"prefect {command} (.*?)(?:`|$)", page.read_text(), re.MULTILINE)
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


@pytest.mark.parametrize("name", [name.upper() for name in Environment.model_fields])
def test_the_page_of_the_configuration_names_every_variable(name: str) -> None:
    assert f"`{name}`" in (DOCS / "configuration.md").read_text()


@pytest.mark.parametrize("name", FLOWS)
def test_every_flow_stands_in_the_readme_and_on_the_page_of_flows(name: str) -> None:
    assert f"| `{name}` |" in (ROOT / "README.md").read_text()
    assert f"`{name}`" in (DOCS / "flows.md").read_text()


@pytest.mark.parametrize("page", [page for page in PAGES if page.stem != "index"], ids=str)
def test_the_index_names_every_page(page: Path) -> None:
    name = page.name if page.parent == DOCS else f"../{page.name}"

    assert f"]({name})" in (DOCS / "index.md").read_text()


@every_page
def test_python_compiles_and_its_imports_resolve(page: Path) -> None:
    for code in blocks(page, "python"):
        missing = [name for name in imported(code) if not resolves(name)]
        assert [name for name in missing if not is_new(file_of(name), page)] == []


def imported(code: str) -> list[tuple[str, str]]:
    """Modules, and what is taken from each."""
    found = []
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            found += [(alias.name, "") for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found += [(node.module, alias.name) for alias in node.names]
    return found


def resolves(name: tuple[str, str]) -> bool:
    module, attribute = name
    if find_spec(module) is None:
        return False
    return not attribute or hasattr(import_module(module), attribute)


def file_of(name: tuple[str, str]) -> str:
    return name[0].replace(".", "/") + ".py"


def test_the_recipe_in_ten_minutes_makes_a_plan_and_a_flow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe, flow = blocks(DOCS / "contributing.md", "python")
    for package, code in ((storycanvas.faces.recipes, recipe), (flows, flow)):
        folder = tmp_path / package.__name__
        folder.mkdir()
        (folder / "smile.py").write_text(code)
        monkeypatch.setattr(package, "__path__", [*package.__path__, str(folder)])

    plan = import_module("storycanvas.faces.recipes.smile").smile("portrait.png", 60)

    assert [step.operation.face_editor_mouth_smile for step in plan.steps] == [60]
    assert import_module("flows.smile").smile.name == "smile"


def test_every_error_of_the_troubleshooting_page_exists() -> None:
    rooms = ("blocks", "db", "deployments", "storycanvas", "tasks")
    defined = {
        name
        for room in rooms
        for file in (ROOT / room).rglob("*.py")
        for name in re.findall(r"^class (\w+)", file.read_text(), re.MULTILINE)
    }
    rows = re.findall(r"^\| ([^|]*`[^|]*) \|", prose(DOCS / "troubleshooting.md"), re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"`([A-Z][a-z]+[A-Z]\w+)`", row)}

    assert len(named) > 40
    assert named - defined == set()


def test_every_guarantee_links_its_test() -> None:
    guaranteed = prose(DOCS / "guarantees.md").split("\n## ")[1]
    rows = [row for row in guaranteed.splitlines() if row.startswith("|")]
    unproved = [row for row in rows if "](../tests/" not in row]

    assert set(unproved) == {"| promise | proved by |", "| --- | --- |"}


@every_page
def test_every_test_that_is_named_exists(page: Path) -> None:
    named = re.findall(r"`(test_\w+)`", prose(page))
    tests = "".join(path.read_text() for path in files() if path.match("test_*.py"))

    assert [name for name in named if f"def {name}(" not in tests] == []


def test_the_page_of_the_database_is_not_stale() -> None:
    assert database_page(["--check"]) == 0, "run: python -m tests.support.database_page"


def test_every_collection_field_and_index_is_on_the_page_of_the_database() -> None:
    text = (DOCS / "database.md").read_text()

    for collection in COLLECTIONS:
        section = text.split(f"## `{collection.name}`\n")[1].split("\n## ")[0]
        names = [info.alias or name for name, info in collection.document.model_fields.items()]
        names += [index.name for index in collection.indexes]
        assert [name for name in names if f"`{name}`" not in section] == []
