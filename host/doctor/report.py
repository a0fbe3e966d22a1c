"""How findings are shown: to people as lines, to programs as JSON."""

import json
from collections.abc import Sequence
from dataclasses import asdict

from host.doctor.finding import Finding, Level, worst

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
