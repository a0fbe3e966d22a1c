"""What the documentation names exists: links, files, variables, flows, code."""

import ast
import re
from collections.abc import Callable
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from os.path import relpath
from pathlib import Path

import pytest
import yaml

import flows
import storycanvas.faces.recipes
from blocks.environment import Environment
from db.schema.collections import COLLECTIONS
from deployments.run_flow import load_flow
from tests.support.database_page import main as database_page
from tests.support.paths import ROOT
from tests.support.tree import blocks, files, pages, prose

DOCS = ROOT / "docs"
PAGES = pages()
ROOMS = "benchmarks|blocks|db|deployments|docs|flows|requirements|samples|storycanvas|tasks|tests"
LINK = re.compile(r"\]\(([^)\s]+)\)")
FLOWS = [
    str(deployment["name"])
    for deployment in yaml.safe_load((ROOT / "prefect.yaml").read_text())["deployments"]
]
PARTS = re.compile(r"\n\n|\n(?=\|)")
"""Between paragraphs, and between rows of a table."""
every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)


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
    assert broken_links(page, prose(page)) == []


@pytest.mark.parametrize(
    "text",
    ["[a](none.md)", "[a](flows.md#none)", "![a](images/none.jpg)", "[a](#none)", "[a](../none)"],
)
def test_a_link_that_leads_nowhere_is_found(text: str) -> None:
    assert broken_links(DOCS / "index.md", text) != []


def broken_links(page: Path, text: str) -> list[str]:
    """Find links of a page's text to files and headings that are not there."""
    broken = []
    for target in LINK.findall(text):
        if "://" in target:
            continue
        name, _, anchor = target.partition("#")
        file = (page.parent / name).resolve() if name else page
        if not file.exists() or (anchor and anchor not in anchors(file)):
            broken.append(target)
    return broken


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


@pytest.mark.parametrize("name", [name.upper() for name in Environment.model_fields])
def test_the_page_of_the_configuration_names_every_variable(name: str) -> None:
    assert f"`{name}`" in (DOCS / "configuration.md").read_text()


@pytest.mark.parametrize("name", FLOWS)
def test_every_flow_stands_in_the_readme_and_on_the_page_of_flows(name: str) -> None:
    assert f"| `{name}` |" in (ROOT / "README.md").read_text()
    assert f"`{name}`" in (DOCS / "flows.md").read_text()


@pytest.mark.parametrize("name", FLOWS)
def test_every_parameter_of_a_flow_stands_on_its_page(name: str) -> None:
    """A page may name several at once, as in `face_editor_…`."""
    flow = load_flow(name.removesuffix("-standing").removesuffix("-often"))
    where = pages_of(flow.name)
    words = {word for page in where for word in re.findall(r"`([^`\n]+)`", prose(page))}
    begun = tuple(word.removesuffix("…") for word in words if word.endswith("_…"))

    assert [
        parameter
        for parameter in flow.parameters.properties
        if parameter not in words and not (begun and parameter.startswith(begun))
    ] == []


def pages_of(flow: str) -> list[Path]:
    """The index of flows, the page that it links beside the flow, and what face flows share."""
    index = DOCS / "flows.md"
    [part] = [part for part in PARTS.split(prose(index)) if f"`{flow}`" in part][:1]
    linked = [DOCS / name for name in re.findall(r"\]\((pipelines/[\w-]+\.md)\)", part)]
    return [index, *linked, DOCS / "pipelines" / "shared.md"]


@pytest.mark.parametrize("page", [page for page in PAGES if page.stem != "index"], ids=str)
def test_the_index_names_every_page(page: Path) -> None:
    assert f"]({relpath(page, DOCS)})" in (DOCS / "index.md").read_text()


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
