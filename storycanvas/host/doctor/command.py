"""The command `storycanvas-host doctor`."""

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from storycanvas.host.command_line import host_parser
from storycanvas.host.doctor.access import (
    PORT,
    SETTINGS,
    TOKEN,
    check_settings,
    collect_port,
    collect_token,
    evaluate_port,
    evaluate_token,
)
from storycanvas.host.doctor.facefusion import (
    FACEFUSION,
    PROGRAM_CHECK,
    WEIGHTS,
    WORKER_CHECK,
    collect_fit,
    collect_programs,
    collect_weights,
    evaluate_fit,
    evaluate_installation,
    evaluate_preload,
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
from storycanvas.host.doctor.gpu import (
    GPU,
    GPUS,
    collect_gpu,
    collect_gpus,
    evaluate_gpu,
    evaluate_gpus,
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
from storycanvas.host.engines.facefusion.plan import usable_installation
from storycanvas.host.engines.facefusion.process.installation import (
    HOME_VARIABLE,
    Installation,
    InstallationUnusable,
    find_home,
    find_python,
    refused_version,
)
from storycanvas.host.engines.preloading import PRELOADS

_CLOSED = "give the host's user r and x on every folder above it, and run the doctor as that user"
Check = Callable[[], Finding | tuple[Finding, ...]]


@dataclass(frozen=True)
class _Place:
    """Where FaceFusion is said to be; it may still not work."""

    home: Path
    python: Path


def examine(arguments: Mapping[str, Any], environment: Mapping[str, str]) -> Iterator[Finding]:
    """Run the checks for these options, parsed by `host_parser`; yield each finding at once.

    FaceFusion is examined when it is the engine, or named in the environment.
    """
    facefusion = arguments["engine"] == "facefusion" or bool(environment.get(HOME_VARIABLE))
    place = _place(environment) if facefusion else None
    refused = refused_version(place.home) if isinstance(place, _Place) else None
    if refused:  # what a command of another version does is not known, so none is run
        yield failed(FACEFUSION, refused)
    yield from _host_findings(arguments, environment, place)
    if place is None:
        yield ok(FACEFUSION, f"not needed by the engine {arguments['engine']}")
        return
    yield from _run_check(PROGRAM_CHECK, lambda: evaluate_programs(collect_programs(environment)))
    yield from _run_check(GPUS, lambda: evaluate_gpus(collect_gpus(environment)))
    if isinstance(place, Finding):
        yield place
    if isinstance(place, Finding) or refused:
        return
    yield from _facefusion_findings(place, arguments, environment)


def _host_findings(
    arguments: Mapping[str, Any], environment: Mapping[str, str], place: _Place | Finding | None
) -> Iterator[Finding]:
    python = place.python if isinstance(place, _Place) else None
    host, port, data_dir = arguments["host"], arguments["port"], Path(arguments["data_dir"])
    keep_gib, scheme = arguments.get("keep_gib"), "https" if arguments.get("tls_cert") else "http"
    checks: dict[str, Check] = {
        SETTINGS: lambda: check_settings(arguments, environment),
        PYTHON: lambda: evaluate_python(collect_python(python)),
        DATA_DIR: lambda: evaluate_storage(collect_storage(data_dir), keep_gib),
        PORT: lambda: evaluate_port(collect_port(host, port, scheme, data_dir=data_dir)),
        TOKEN: lambda: evaluate_token(
            collect_token(host, environment, tokens_file=arguments.get("tokens_file"))
        ),
        ROOTS: lambda: evaluate_roots(
            collect_roots(arguments["allow_roots"], arguments.get("publish"))
        ),
        CLOCK: lambda: evaluate_clock(collect_clock(data_dir.expanduser())),
    }
    for name, check in checks.items():
        yield from _run_check(name, check)


def _facefusion_findings(
    place: _Place, arguments: Mapping[str, Any], environment: Mapping[str, str]
) -> Iterator[Finding]:
    """Judge the ini file and onnxruntime first: FaceFusion does not even start with wrong ones."""
    downloads, required = bool(arguments["allow_downloads"]), bool(arguments["require_gpu"])

    preload = [name for name in arguments["preload"].split(",") if name in PRELOADS]

    def gpu() -> Finding:
        facts = collect_gpu(place.home, place.python, environment, required=required)
        return evaluate_gpu(facts)

    def weights() -> tuple[Finding, ...]:
        facts = collect_weights(place.home, place.python, preload)
        return *evaluate_weights(facts, downloads=downloads), *evaluate_preload(preload, facts)

    (finding,) = _run_check(GPU, gpu)
    yield finding
    found = _installation(environment)
    yield from _run_check(FACEFUSION, lambda: evaluate_installation(found))
    if isinstance(found, Installation):
        yield from _run_check(WORKER_CHECK, lambda: evaluate_fit(collect_fit(found, environment)))
    yield from _run_check(WEIGHTS, weights)


def _place(environment: Mapping[str, str]) -> _Place | Finding:
    """Find the folder and the Python; what keeps this user from them is a finding, too."""
    try:
        home = find_home(environment)
        return _Place(home, find_python(environment, home))
    except InstallationUnusable as error:
        return failed(FACEFUSION, str(error))
    except OSError as error:
        return failed(FACEFUSION, str(error), _CLOSED)


def _installation(environment: Mapping[str, str]) -> Installation | str:
    try:
        return usable_installation(environment)
    except (InstallationUnusable, OSError) as error:
        return str(error)


def _run_check(name: str, check: Check) -> tuple[Finding, ...]:
    """Run a check; one that breaks down has failed, and the others still follow."""
    try:
        made = check()
    except OSError as error:
        return (failed(name, str(error), _CLOSED),)
    except Exception as error:  # noqa: BLE001 - no exception ends the examination
        seen = f"the check broke down ({type(error).__name__}: {error})"
        return (failed(name, seen, "report this as a fault of the doctor"),)
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
    try:
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()
    except BrokenPipeError:
        # `doctor | head` reads no more; the status still tells what all checks found. Python would
        # complain at its end, too, so that what is buffered goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
