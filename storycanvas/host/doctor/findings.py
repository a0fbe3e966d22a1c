"""Findings of the checks, and how they are shown."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum


class Level(StrEnum):
    """How bad a finding is: `failed` keeps the host from working, a warning does not."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True)
class Finding:
    """One line of the examination.

    Attributes:
        check: What was checked, a few words.
        level: How bad it is.
        seen: What was seen, with values; never a secret.
        fix: What to do about it; empty if there is nothing to do.
    """

    check: str
    level: Level
    seen: str
    fix: str = ""


def ok(check: str, seen: str) -> Finding:
    """Make a finding without a problem."""
    return Finding(check, Level.OK, seen)


def warning(check: str, seen: str, fix: str) -> Finding:
    """Make a finding for a host that works, but not as well as it could."""
    return Finding(check, Level.WARNING, seen, fix)


def failed(check: str, seen: str, fix: str = "") -> Finding:
    """Make a finding that keeps the host from working; `seen` may contain the remedy."""
    return Finding(check, Level.FAILED, seen, fix)


def worst(findings: Sequence[Finding]) -> Level:
    """Return the worst level; `ok` without findings."""
    levels = list(Level)
    return max((finding.level for finding in findings), key=levels.index, default=Level.OK)


_LEVEL_WIDTH = 8
_CHECK_WIDTH = 22


def line_of(finding: Finding) -> str:
    """Write a finding as a line, and its remedy as a second one."""
    line = f"{finding.level:<{_LEVEL_WIDTH}}{finding.check:<{_CHECK_WIDTH}} {finding.seen}"
    if not finding.fix:
        return line
    return f"{line}\n{'':<{_LEVEL_WIDTH + _CHECK_WIDTH}} fix: {finding.fix}"


def summary(findings: Sequence[Finding]) -> str:
    """Count the findings in a sentence."""
    levels = [finding.level for finding in findings]
    return (
        f"{levels.count(Level.OK)} ok, {levels.count(Level.WARNING)} with a warning, "
        f"{levels.count(Level.FAILED)} failed."
    )


def as_json(findings: Sequence[Finding]) -> str:
    """Write all findings as one JSON object with `level`, the worst, and `findings`."""
    listed = [asdict(finding) for finding in findings]
    return json.dumps({"level": worst(findings), "findings": listed}, indent=2)
