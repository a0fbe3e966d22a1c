"""The command line and the environment variables of a host."""

import argparse
import importlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from pydantic import SecretStr, ValidationError

from storycanvas.host.engines.engine import Engine
from storycanvas.host.settings import HostSettings

ENGINES = {
    "facefusion": "storycanvas.host.engines.facefusion.engine",
    "preview": "storycanvas.host.engines.preview",
}
"""Module by name; it is imported only when its engine is chosen, and has `build_engine`."""


def load_engine(settings: HostSettings, environment: Mapping[str, str]) -> Engine:
    """Import and build the engine that the settings name.

    Raises:
        ImportError: What the engine needs is not installed.
        EngineUnusable: What it drives is missing or not supported.
    """
    package = importlib.import_module(ENGINES[settings.engine])
    return cast("Engine", package.build_engine(settings, environment))


TOKEN_VARIABLE = "FACEFUSION_TOKEN"  # noqa: S105 - its name, not its value


def read_settings(argv: Sequence[str] | None, environment: Mapping[str, str]) -> HostSettings:
    """Read the settings of a host; a wrong command line raises SystemExit.

    Args:
        argv: The command line without the program's name; None takes the process's own.
        environment: Has the token, since every user of a machine can see a command line.
    """
    return settings_of(vars(host_parser().parse_args(argv)), environment)


def settings_of(arguments: Mapping[str, Any], environment: Mapping[str, str]) -> HostSettings:
    """Build the settings from what `host_parser` read, or raise pydantic's ValidationError."""
    token = environment.get(TOKEN_VARIABLE)
    return HostSettings.model_validate({**arguments, "token": SecretStr(token) if token else None})


def refusal(error: ValidationError) -> str:
    """Name the setting that cannot be used, without showing the token."""
    first = error.errors(include_url=False, include_input=False)[0]
    reason = first.get("ctx", {}).get("error", first["msg"])
    return f"{first['loc'][0]}: {reason}" if first["loc"] else str(reason)


def host_parser(prog: str = "storycanvas-host") -> argparse.ArgumentParser:
    """Build the parser of all options of a host."""
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Serves face operations over HTTP, beside the engine that does them.",
        epilog=(
            f"The token that callers must show is read from the variable {TOKEN_VARIABLE}. "
            "`storycanvas-host doctor` with the same options looks for what is missing."
        ),
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    _add_work_options(parser)
    _add_access_options(parser)
    _add_facefusion_options(parser)
    _add_picture_options(parser)
    _add_source_options(parser)
    return parser


def _add_work_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--engine", choices=sorted(ENGINES), default="preview", help="what does the work")
    add("--host", default="127.0.0.1", help="address to listen on")
    add("--port", type=int, default=9002, help="port to listen on; 0 takes a free one")
    add("--connections", type=int, default=4096, help="connections that may be open at one time")
    add("--slots", type=int, default=1, help="operations that run at one time")
    add("--queue", type=int, default=16, help="operations that may wait beyond those")
    add("--operation-seconds", type=float, default=300.0, help="longest wait for the engine")
    add("--stop-seconds", type=float, default=30.0, help="time for running operations at a stop")
    add("--log-file", type=Path, help="log there, not to standard error; five older files are kept")


def _add_access_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("access").add_argument
    add(
        "--named-tokens",
        dest="tokens_file",
        type=Path,
        metavar="FILE",
        help="named tokens, TOML with mode 600; read anew when it is edited",
    )
    add("--tls-cert", type=Path, metavar="FILE", help="certificate chain, PEM: serve HTTPS")
    add("--tls-key", type=Path, metavar="FILE", help="key of that certificate, PEM")


def _add_facefusion_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("engine facefusion").add_argument
    add(
        *("--isolated", "--command-line-only"),
        action="store_true",
        help="start FaceFusion anew for every operation",
    )
    add("--renew-operations", type=int, default=500, help="operations until a new process")
    add("--renew-gib", type=float, default=16.0, help="memory until a new process, in GiB")
    add(
        "--video-memory",
        choices=("strict", "moderate", "tolerant"),
        default="tolerant",
        help="how many models stay loaded",
    )
    add(
        "--preload",
        default="",
        metavar="NAME,…",
        help="what is loaded before status is ok: operations (detect, swap, …) or models",
    )
    add(
        "--idle-unload-minutes",
        type=float,
        default=0.0,
        metavar="MINUTES",
        help="time without work after which GPU memory is given back; 0 keeps it",
    )
    add("--allow-downloads", action="store_true", help="let FaceFusion load missing weights")
    add("--require-gpu", action="store_true", help="refuse to work on the CPU alone")


def _add_picture_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data-dir",
        type=Path,
        default=Path(".storycanvas/host"),
        help="where pictures and results are kept",
    )
    parser.add_argument(
        "--keep-gib",
        type=float,
        default=20.0,
        help="GiB of pictures that are kept; beyond it the least recently used are removed",
    )
    parser.add_argument(
        "--keep-hours",
        type=float,
        default=48.0,
        help="hours after its last use at which a picture is removed",
    )
    parser.add_argument(
        "--publish",
        metavar="DIR=PREFIX",
        help="show outputs of requests that name a path or URL there, as PREFIX<name>",
    )


def _add_source_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--allow-root",
        dest="allow_roots",
        action="append",
        default=[],
        metavar="[NAME=]DIR",
        help="folder from which pictures may be named by path, as NAME/… too; repeatable",
    )
    parser.add_argument(
        "--allow-url-host",
        dest="allow_url_hosts",
        action="append",
        default=[],
        metavar="HOST[:PORT]",
        help="server to fetch pictures from, on ports 80 and 443 if none is given; repeatable",
    )
    parser.add_argument(
        "--allow-private-urls",
        action="store_true",
        help="let the names of these servers lead to private addresses; an address needs no leave",
    )
    parser.add_argument(
        "--download-seconds", type=float, default=30.0, help="longest download of one picture"
    )
