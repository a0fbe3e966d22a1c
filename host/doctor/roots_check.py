"""Can the host read the folders from which pictures may be named by path?"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from host.doctor.finding import Finding, failed, ok, warning

CHECK = "allow-root"


@dataclass(frozen=True)
class RootFacts:
    """One allowed folder.

    Attributes:
        path: Where it really is, links followed.
        is_folder: Whether it exists and is a folder.
        readable: Whether this user may list and enter it.
    """

    path: Path
    is_folder: bool
    readable: bool


def look_at_roots(roots: Sequence[str | Path]) -> tuple[RootFacts, ...]:
    """Look at each of the folders."""
    paths = [Path(root).expanduser().resolve() for root in roots]
    return tuple(
        RootFacts(path, path.is_dir(), os.access(path, os.R_OK | os.X_OK)) for path in paths
    )


def judge_roots(roots: Sequence[RootFacts]) -> tuple[Finding, ...]:
    """Judge whether pictures in them can be read."""
    if not roots:
        return (ok(CHECK, "none: pictures come by upload or URL"),)
    return tuple(_judge(root) for root in roots)


def _judge(root: RootFacts) -> Finding:
    if not root.is_folder:
        return failed(CHECK, f"{root.path} is no folder", "make it, or name another")
    if not root.readable:
        return failed(
            CHECK, f"{root.path} cannot be read by this user", "give this user r and x on it"
        )
    if root.path == root.path.parent:
        return warning(
            CHECK, f"{root.path} is the whole file system", "name the folder of the pictures"
        )
    return ok(CHECK, f"{root.path} can be read")
