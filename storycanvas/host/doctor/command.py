"""The command `storycanvas-host doctor`."""

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from storycanvas.host.command_line import host_parser
from storycanvas.host.doctor.access import (
    PORT,
    TOKEN,
    check_settings,
    collect_port,
    collect_token,
    evaluate_port,
    evaluate_token,
)
from storycanvas.host.doctor.facefusion import (
    FACEFUSION,
    GPU,
    WEIGHTS,
    WORKER_CHECK,
    collect_fit,
    collect_gpu,
    collect_programs,
    collect_weights,
    evaluate_fit,
    evaluate_gpu,
    evaluate_installation,
    evaluate_programs,
    evaluate_weights,
)
from storycanvas.host.doctor.findings import (
    Finding,
    Level,
    as_json,
    failed,
    line_of,
    ok,
    summary,
    worst,
)
from storycanvas.host.doctor.machine import (
    CLOCK,
    DATA_DIR,
    PYTHON,
    ROOTS,
    collect_clock,
    collect_python,
    collect_roots,
    collect_storage,
    evaluate_clock,
    evaluate_python,
    evaluate_roots,
    evaluate_storage,
)
from storycanvas.host.engines.facefusion.process.installation import (
    HOME_VARIABLE,
    Installation,
    InstallationUnusable,
    find_installation,
)

Check = Callable[[], Finding | tuple[Finding, ...]]


def examine(arguments: Mapping[str, Any], environment: Mapping[str, str]) -> Iterator[Finding]:
    """Run the checks for these options, parsed by `host_parser`; yield each finding at once.

    FaceFusion is examined when it is the engine, or named in the environment.
    """
    facefusion = arguments["engine"] == "facefusion" or bool(environment.get(HOME_VARIABLE))
    found = _installation(environment) if facefusion else None
    yield from _host_findings(arguments, environment, found)
    if found is None:
        yield ok(FACEFUSION, f"not needed by the engine {arguments['engine']}")
        return
    yield evaluate_programs(collect_programs(environment))
    yield evaluate_installation(found)
    if isinstance(found, Installation):
        downloads = bool(arguments["allow_downloads"])
        yield from _weights_and_gpu(found, environment, downloads=downloads)


def _host_findings(
    arguments: Mapping[str, Any], environment: Mapping[str, str], found: Installation | str | None
) -> Iterator[Finding]:
    python = found.python if isinstance(found, Installation) else None
    host, port, data_dir = arguments["host"], arguments["port"], Path(arguments["data_dir"])
    keep_gib = arguments.get("keep_gib")
    checks: dict[str, Check] = {
        PYTHON: lambda: evaluate_python(collect_python(python)),
        DATA_DIR: lambda: evaluate_storage(collect_storage(data_dir), keep_gib),
        PORT: lambda: evaluate_port(collect_port(host, port)),
        TOKEN: lambda: evaluate_token(collect_token(host, environment)),
        ROOTS: lambda: evaluate_roots(collect_roots(arguments["allow_roots"])),
        CLOCK: lambda: evaluate_clock(collect_clock(data_dir.expanduser())),
    }
    yield check_settings(arguments, environment)
    for name, check in checks.items():
        yield from _run_check(name, check)


def _weights_and_gpu(
    installation: Installation, environment: Mapping[str, str], *, downloads: bool
) -> Iterator[Finding]:
    def weights() -> tuple[Finding, ...]:
        seen = collect_weights(installation.home, installation.python)
        return evaluate_weights(seen, downloads=downloads)

    yield from _run_check(
        WORKER_CHECK, lambda: evaluate_fit(collect_fit(installation, environment))
    )
    yield from _run_check(WEIGHTS, weights)
    yield from _run_check(GPU, lambda: evaluate_gpu(collect_gpu(installation, environment)))


def _installation(environment: Mapping[str, str]) -> Installation | str:
    try:
        return find_installation(environment)
    except InstallationUnusable as error:
        return str(error)


def _run_check(name: str, check: Check) -> tuple[Finding, ...]:
    """Run a check; one that cannot read what it needs has failed, and the others still follow."""
    try:
        made = check()
    except OSError as error:
        return (failed(name, str(error), "run the doctor as the user who runs the host"),)
    return made if isinstance(made, tuple) else (made,)


def run_doctor(argv: Sequence[str], environment: Mapping[str, str]) -> int:
    """Examine this machine with the options and variables of a host; write to standard output.

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
            _print(line_of(finding))
    _print(as_json(findings) if in_json else summary(findings))
    return int(worst(findings) is Level.FAILED)


def doctor_parser() -> argparse.ArgumentParser:
    """Build the parser: all options of a host, and `--json`."""
    parser = host_parser("storycanvas-host doctor")
    parser.description = "Examines this machine and reports what a host on it lacks."
    parser.epilog = "Give it the options and the environment that the host gets, as its user."
    parser.add_argument("--json", action="store_true", help="write the findings as JSON")
    return parser


def _print(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
