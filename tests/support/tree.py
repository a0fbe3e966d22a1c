"""Every file of the tree, for tests that hold for all of them."""

import ast
import re
import subprocess
import textwrap
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

from tests.support.paths import ROOT


@cache
def files() -> tuple[Path, ...]:
    """Everything that is tracked, or would be by `git add`."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    found = (ROOT / name for name in listed.split("\0") if name)
    return tuple(path for path in found if path.is_file())


FENCE = re.compile(r"^ *```(\w*)[^\n]*\n(.*?)^ *```", re.MULTILINE | re.DOTALL)


def pages() -> tuple[Path, ...]:
    """Everything that is written for readers."""
    return tuple(path for path in files() if path.suffix == ".md")


@cache
def prose(page: Path) -> str:
    """Read a page without its blocks of code."""
    return FENCE.sub("", page.read_text())


def blocks(page: Path, *languages: str) -> list[str]:
    """Read a page's blocks of code in these languages."""
    return [
        textwrap.dedent(text)
        for language, text in FENCE.findall(page.read_text())
        if language in languages
    ]


class Module(NamedTuple):
    """What tests ask of a module; its tree is read once and let go, as it takes seconds to walk."""

    lines: int
    imports: frozenset[str]
    names: frozenset[str]
    functions: Mapping[str, int]


@cache
def module_names() -> tuple[str, ...]:
    return tuple(str(path.relative_to(ROOT)) for path in files() if path.suffix == ".py")


@cache
def modules() -> dict[str, Module]:
    return {name: _read((ROOT / name).read_text()) for name in module_names()}


def _read(source: str) -> Module:
    imports: set[str] = set()
    names: set[str] = set()
    functions: dict[str, int] = {}
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Name():
                names.add(node.id)
            case ast.Import():
                imports.update(alias.name for alias in node.names)
            case ast.ImportFrom(module=str(module), level=0):
                imports.add(module)
                imports.update(f"{module}.{alias.name}" for alias in node.names)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                functions[node.name] = max(functions.get(node.name, 0), _lines(node))
    return Module(len(source.splitlines()), frozenset(imports), frozenset(names), functions)


def _lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Count its lines; the docstring is not counted, because a flow's is the text of its form."""
    first = function.body[0]
    described = ast.get_docstring(function) is not None
    docstring = (first.end_lineno or 0) - first.lineno + 1 if described else 0
    return (function.end_lineno or 0) - function.lineno - docstring
