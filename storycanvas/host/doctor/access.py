"""Checks of the address, the settings and the token."""

import errno
import ipaddress
import os
import re
import socket
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from pydantic import ValidationError

from storycanvas.faces.contract import API, HostStatus
from storycanvas.host.command_line import TOKEN_VARIABLE, refusal, settings_of
from storycanvas.host.doctor.findings import Finding, failed, ok, warning
from storycanvas.host.settings import is_loopback
from storycanvas.host.tokens import TokensRefused, read_tokens
from storycanvas.net.atomic_files import exclusive_lock

PORT = "port"
ANSWER_SECONDS = 5.0
LOCK = "in-use"
"""The file in the data folder that a host holds a lock on."""


@dataclass(frozen=True)
class PortFacts:
    """The address that the host is to listen on.

    Attributes:
        host: Address or name.
        port: 0 stands for any free port.
        error: The number of the error when it was tried, of `errno`; None if it is free.
        reason: That error in the system's words.
        status: The status of a host that answers there; None if no host does.
        ours: Whether a host uses the data folder of these options; another's answer is no proof.
    """

    host: str
    port: int
    error: int | None = None
    reason: str = ""
    status: HostStatus | None = None
    ours: bool = True


def collect_port(
    host: str, port: int, scheme: str = "http", data_dir: Path | None = None
) -> PortFacts:
    """Try the address, and ask for a host's status if it is taken."""
    try:
        _try(host, port)
    except (OSError, OverflowError) as error:
        number = error.errno if isinstance(error, OSError) and error.errno else errno.EINVAL
        taken = number == errno.EADDRINUSE
        status = _status(host, port, scheme) if taken else None
        return PortFacts(host, port, number, str(error), status, _is_used(data_dir))
    return PortFacts(host, port)


def evaluate_port(facts: PortFacts) -> Finding:
    """Check whether the host can listen there, or does."""
    name = f"{facts.host} port {facts.port or 'any'}"
    if facts.error is None:
        return ok(PORT, f"{name} is free")
    if facts.status is not None:
        return _evaluate_status(name, facts.status, ours=facts.ours)
    match facts.error:
        case errno.EADDRINUSE:
            fix = "end the program that listens there, or name another --port"
            return failed(PORT, f"{name} is taken by another program", fix)
        case errno.EADDRNOTAVAIL:
            fix = "name an address of this machine as --host, 127.0.0.1 or 0.0.0.0 for example"
            return failed(PORT, f"{name} is not an address of this machine", fix)
        case errno.EACCES:
            fix = "name a --port of 1024 or more"
            return failed(PORT, f"{name} may not be used by this user", fix)
    return failed(PORT, f"{name} cannot be used ({facts.reason})", "name another --host or --port")


def _is_used(data_dir: Path | None) -> bool:
    """Whether a host holds the lock of a folder; a folder without a lock's file has no host."""
    lock = None if data_dir is None else data_dir.expanduser() / LOCK
    if lock is None:
        return True
    if not lock.exists():
        return False
    try:
        with exclusive_lock(lock, "in use"):
            return False
    except OSError:  # held, or closed to this user
        return True


def _evaluate_status(name: str, status: HostStatus, *, ours: bool) -> Finding:
    if not ours:
        seen = f"{name} is taken by a host with another --data-dir"
        return failed(PORT, seen, "name another --port, or that host's --data-dir")
    seen = (
        f"{name}: a host answers {status.status}, engine {status.engine} {status.engine_version}, "
        f"{status.busy} running, {status.queued} waiting"
    )
    if status.status == "ok":
        return ok(PORT, seen)
    return warning(PORT, seen, "look into its log; restart it if that stays so")


def _try(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        if os.name == "posix":  # else a port that was used a minute ago seems taken
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))


def _status(host: str, port: int, scheme: str) -> HostStatus | None:
    url = httpx.URL(scheme=scheme, host=_reachable(host), port=port, path=f"{API}/status")
    try:
        # A certificate names the machine, not the address by which this program reaches itself.
        answer = httpx.get(url, timeout=ANSWER_SECONDS, trust_env=False, verify=False)  # noqa: S501
        return HostStatus.model_validate_json(answer.content)
    except (httpx.HTTPError, ValidationError):
        return None


def _reachable(host: str) -> str:
    """Return the loopback address in place of one that stands for all."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if not address.is_unspecified:
        return host
    return "127.0.0.1" if isinstance(address, ipaddress.IPv4Address) else "::1"


SETTINGS = "settings"


def check_settings(arguments: Mapping[str, Any], environment: Mapping[str, str]) -> Finding:
    """Check the options, parsed by `host_parser`, as the host itself does."""
    try:
        settings = settings_of(arguments, environment)
    except ValidationError as error:
        fix = "correct that option; the host would refuse to start"
        return failed(SETTINGS, refusal(error), fix)
    return ok(
        SETTINGS,
        f"engine {settings.engine} on {settings.host} port {settings.port}, "
        f"{settings.slots} at a time, {settings.queue} more may wait",
    )


TOKEN = "token"  # noqa: S105 - the name of a check
LEAST_LENGTH = 16
UNIT_FOLDERS = (Path("/etc/systemd/system"), Path("~/.config/systemd/user"))
UNITS = ("storycanvas-host.service", "storycanvas-host@*.service")
_OTHERS = 0o077
_MAKE = (
    f"write {TOKEN_VARIABLE}= and what `openssl rand -hex 32` gives into the environment file of "
    "the service, mode 600"
)


@dataclass(frozen=True)
class TokenFacts:
    """Properties of a token that do not reveal it.

    Attributes:
        loopback: Whether the host listens for its own machine only.
        length: Characters; None without a token.
        named: Tokens in the file of `--named-tokens`; None without such a file.
        sendable: Whether a header can carry it: printable ASCII, no blank at an end.
        units: Files of the systemd unit that hold a token, which every user can read.
        open_files: Environment files of the unit that others than their owner can read.
    """

    loopback: bool
    length: int | None
    sendable: bool = True
    named: int | None = None
    units: tuple[Path, ...] = ()
    open_files: tuple[Path, ...] = ()


def collect_token(
    host: str,
    environment: Mapping[str, str],
    unit_folders: Sequence[Path] = UNIT_FOLDERS,
    tokens_file: Path | None = None,
) -> TokenFacts:
    """Inspect the token in the environment, and systemd's files for tokens that others can read."""
    token = environment.get(TOKEN_VARIABLE) or None
    units = {path: path.read_text(errors="replace") for path in _unit_files(unit_folders)}
    return TokenFacts(
        is_loopback(host),
        None if token is None else len(token),
        token is None or (token.isascii() and token.isprintable() and token == token.strip()),
        None if tokens_file is None else _named(tokens_file),
        tuple(path for path, text in units.items() if _holds_token(text)),
        tuple(file for text in units.values() for file in _environment_files(text) if _open(file)),
    )


def evaluate_token(facts: TokenFacts) -> tuple[Finding, ...]:
    """Check whether only holders of a good token can call the host."""
    in_units = [
        warning(TOKEN, f"{path} holds a token, and every user can read it", _MAKE)
        for path in facts.units
    ]
    in_files = [
        warning(TOKEN, f"{path} can be read by others than its owner", f"chmod 600 {path}")
        for path in facts.open_files
    ]
    return (_evaluate_value(facts), *in_units, *in_files)


def _evaluate_value(facts: TokenFacts) -> Finding:
    if facts.length is None:
        if facts.named is not None:
            return ok(TOKEN, f"{facts.named} by name")
        if facts.loopback:
            return ok(TOKEN, "none: callers on this machine only")
        return failed(TOKEN, "none, and other machines are let in", _MAKE)
    if not facts.sendable:
        seen = f"{TOKEN_VARIABLE} has characters that no header can carry, or a blank at an end"
        return failed(TOKEN, seen, _MAKE)
    if facts.length < LEAST_LENGTH:
        seen = f"{facts.length} characters, which can be guessed"
        return warning(TOKEN, seen, f"take {LEAST_LENGTH} or more; {_MAKE}")
    named = f", and {facts.named} by name" if facts.named is not None else ""
    return ok(TOKEN, f"set, {facts.length} characters{named}")


def _named(path: Path) -> int:
    try:
        return len(read_tokens(path.expanduser()))
    except TokensRefused:  # told by the check of the settings
        return 0


def _unit_files(folders: Sequence[Path]) -> Iterator[Path]:
    for folder in (folder.expanduser() for folder in folders):
        for unit in UNITS:
            yield from sorted(folder.glob(unit))
            yield from sorted(folder.glob(f"{unit}.d/*.conf"))


def _holds_token(unit: str) -> bool:
    return re.search(rf"^\s*Environment\s*=.*\b{TOKEN_VARIABLE}=\S", unit, re.MULTILINE) is not None


def _environment_files(unit: str) -> list[Path]:
    found = re.findall(r"^\s*EnvironmentFile\s*=\s*-?(/\S+)", unit, re.MULTILINE)
    return [Path(name) for name in found]


def _open(file: Path) -> bool:
    try:
        return file.is_file() and bool(file.stat().st_mode & _OTHERS)
    except PermissionError:  # closed to this user, and so to others
        return False
