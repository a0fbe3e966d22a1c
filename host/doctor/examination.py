"""All checks, one after the other."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from host.doctor.clock_check import CHECK as CLOCK
from host.doctor.clock_check import judge_clock, look_at_clock
from host.doctor.facefusion_check import (
    FACEFUSION,
    judge_installation,
    judge_programs,
    look_at_programs,
)
from host.doctor.finding import Finding, failed, ok
from host.doctor.gpu_check import CHECK as GPU
from host.doctor.gpu_check import judge_gpu, look_at_gpu
from host.doctor.port_check import CHECK as PORT
from host.doctor.port_check import judge_port, look_at_port
from host.doctor.python_check import CHECK as PYTHON
from host.doctor.python_check import judge_python, look_at_python
from host.doctor.roots_check import CHECK as ROOTS
from host.doctor.roots_check import judge_roots, look_at_roots
from host.doctor.settings_check import check_settings
from host.doctor.storage_check import DATA_DIR, judge_storage, look_at_storage
from host.doctor.token_check import CHECK as TOKEN
from host.doctor.token_check import judge_token, look_at_token
from host.doctor.weights_check import CHECK as WEIGHTS
from host.doctor.weights_check import judge_weights, look_at_weights
from host.engines.facefusion.installation import (
    HOME_VARIABLE,
    Installation,
    InstallationUnusable,
    find_installation,
)

Check = Callable[[], Finding | tuple[Finding, ...]]


def examine(arguments: Mapping[str, Any], environment: Mapping[str, str]) -> Iterator[Finding]:
    """Make all checks that matter for these options.

    Args:
        arguments: What `host.command_line.host_parser` read.
        environment: Of the host to be; FaceFusion is looked at when it is the engine, or named.

    Yields:
        What was found, as soon as it is.
    """
    facefusion = arguments["engine"] == "facefusion" or bool(environment.get(HOME_VARIABLE))
    found = _installation(environment) if facefusion else None
    yield from _host_findings(arguments, environment, found)
    if found is None:
        yield ok(FACEFUSION, f"not needed by the engine {arguments['engine']}")
        return
    yield judge_programs(look_at_programs(environment))
    yield judge_installation(found)
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
        PYTHON: lambda: judge_python(look_at_python(python)),
        DATA_DIR: lambda: judge_storage(look_at_storage(data_dir), keep_gib),
        PORT: lambda: judge_port(look_at_port(host, port)),
        TOKEN: lambda: judge_token(look_at_token(host, environment)),
        ROOTS: lambda: judge_roots(look_at_roots(arguments["allow_roots"])),
        CLOCK: lambda: judge_clock(look_at_clock(data_dir.expanduser())),
    }
    yield check_settings(arguments, environment)
    for name, check in checks.items():
        yield from _made(name, check)


def _weights_and_gpu(
    installation: Installation, environment: Mapping[str, str], *, downloads: bool
) -> Iterator[Finding]:
    def weights() -> tuple[Finding, ...]:
        seen = look_at_weights(installation.home, installation.python)
        return judge_weights(seen, downloads=downloads)

    yield from _made(WEIGHTS, weights)
    yield from _made(GPU, lambda: judge_gpu(look_at_gpu(installation, environment)))


def _installation(environment: Mapping[str, str]) -> Installation | str:
    try:
        return find_installation(environment)
    except InstallationUnusable as error:
        return str(error)


def _made(name: str, check: Check) -> tuple[Finding, ...]:
    """Make a check; what cannot even be looked at has failed, and the others still follow."""
    try:
        made = check()
    except OSError as error:
        return (failed(name, str(error), "run the doctor as the user who runs the host"),)
    return made if isinstance(made, tuple) else (made,)
