"""The command `storycanvas-host doctor`."""

import argparse
import sys
from collections.abc import Mapping, Sequence

from host.command_line import host_parser
from host.doctor.examination import examine
from host.doctor.finding import Level, worst
from host.doctor.report import as_json, line_of, summary


def run_doctor(argv: Sequence[str], environment: Mapping[str, str]) -> int:
    """Examine this machine and write what was found to standard output.

    Args:
        argv: The options of the host to be, and `--json`.
        environment: The variables of the host to be.

    Returns:
        1 if a check failed, 0 if there are warnings at most.

    Raises:
        SystemExit: With status 2 if the command line is wrong.
    """
    arguments = vars(doctor_parser().parse_args(argv))
    in_json = arguments.pop("json")
    findings = []
    for finding in examine(arguments, environment):
        findings.append(finding)
        if not in_json:
            _say(line_of(finding))
    _say(as_json(findings) if in_json else summary(findings))
    return int(worst(findings) is Level.FAILED)


def doctor_parser() -> argparse.ArgumentParser:
    """Build the parser: all options of a host, and how to show what was found."""
    parser = host_parser("storycanvas-host doctor")
    parser.description = "Looks at this machine and says what is missing for a host on it."
    parser.epilog = "Give it the options and the environment that the host gets, as its user."
    parser.add_argument("--json", action="store_true", help="write the findings as JSON")
    return parser


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
