"""Every file of the tree, for tests that hold for all of them."""

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

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


@cache
def modules() -> dict[str, ast.Module]:
    python = [path for path in files() if path.suffix == ".py"]
    return {str(path.relative_to(ROOT)): ast.parse(path.read_text()) for path in python}


def imports(tree: ast.Module) -> Iterator[str]:
    """Dotted names of what a module imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
