"""The shape of the tree: sizes of folders and files, words, and what the project is made of."""

import re
import sys
import tomllib
from collections import Counter
from pathlib import Path

import pytest

from tests.support.paths import ROOT
from tests.support.tree import files, module_names, modules

FOLDER_FILES = 15
LARGER_FOLDERS = {
    "flows": "one file for each flow that a person can start",
    "tests/flows": "one file for each flow, and for what runs do to each other",
    "benchmarks": "a benchmark has a file of its own",
}
CRUMB_LINES, FLOW_LINES = 30, 97
SHORT_FILES = {
    "flows/check_hosts.py": "a flow has a file of its own",
    "flows/match_models.py": "a flow has a file of its own",
    "flows/report_model_catalog.py": "a flow has a file of its own",
    "storycanvas/faces/measures/errors.py": "is for all measures",
    "storycanvas/faces/measures/pose.py": "is for all finders of faces",
    "storycanvas/faces/pictures/freed_memory.py": "is for runs and for the host",
}
STAND_IN = "tests/support/facefusion/stand_in/"
"""Has the folders and names of FaceFusion's own tree."""

MAX_FILES, MAX_LINES = 686, 80_400
MAX_FILES_WITH_TESTS, MAX_LINES_WITH_TESTS = 1253, 158_900
"""A new feature raises them in its own commit; anything else finds something to delete first."""

DIRECT = {
    "prefect": "prefect",
    "pymongo": "pymongo",
    "pydantic": "pydantic",
    "httpx": "httpx",
    "pillow": "PIL",
    "pandas": "pandas",
}
WORDS = re.compile(r"\b(who[e]ver|some[b]ody|no[b]ody|for[ ]ever|for one[ ]in)\b", re.IGNORECASE)

REQUIREMENT = re.compile(r"[A-Za-z0-9._-]+")


def code_outside_tests() -> dict[str, int]:
    return {
        module: content.lines
        for module, content in modules().items()
        if not module.startswith("tests/")
    }


def test_a_folder_has_no_more_files_than_a_reader_can_keep_in_mind() -> None:
    sizes = Counter(str(Path(module).parent) for module in module_names())

    large = {folder for folder, count in sizes.items() if count > FOLDER_FILES}
    assert {folder for folder in large if not folder.startswith(STAND_IN)} <= set(LARGER_FOLDERS)


def test_a_short_file_has_a_reason() -> None:
    short = {module for module, lines in code_outside_tests().items() if lines < CRUMB_LINES}

    assert {module for module in short if not module.endswith("__init__.py")} <= set(SHORT_FILES)


def test_a_flow_is_read_at_a_glance() -> None:
    flows = {name: found.lines for name, found in modules().items() if name.startswith("flows/")}

    long = {name for name, lines in flows.items() if lines > FLOW_LINES}
    assert long <= {"flows/parameters.py"}


def test_the_code_stays_small() -> None:
    lines = code_outside_tests()
    with_tests = sum(module.lines for module in modules().values())

    assert len(lines) <= MAX_FILES
    assert sum(lines.values()) <= MAX_LINES
    assert len(modules()) <= MAX_FILES_WITH_TESTS
    assert with_tests <= MAX_LINES_WITH_TESTS


def test_the_words_are_those_of_technical_english() -> None:
    found = {
        (str(path.relative_to(ROOT)), match[0])
        for path in files()
        if path.suffix in {".py", ".md", ".toml", ".yaml", ".service"}
        for match in WORDS.finditer(path.read_text())
    }

    assert found == set()


@pytest.mark.parametrize("package", DIRECT)
def test_a_package_that_the_project_stands_on_is_required_and_imported(package: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    required = {
        match[0].lower()
        for line in (*project["dependencies"], *extras["flows"], *extras["host"])
        if (match := REQUIREMENT.match(line))
    }
    imported = {
        name.split(".")[0]
        for module, content in modules().items()
        if not module.startswith(("tests/", "benchmarks/"))
        for name in content.imports
    }

    assert package in required
    assert DIRECT[package] in imported


def test_this_interpreter_is_one_that_the_project_names() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

    assert project["requires-python"] == ">=3.11,<3.15"
    assert (3, 11) <= sys.version_info[:2] <= (3, 13)
