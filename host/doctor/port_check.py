"""Is the host's address free, or does a host answer there already?"""

import errno
import ipaddress
import os
import socket
from dataclasses import dataclass

import httpx
from pydantic import ValidationError

from faces.contract import API, HostStatus
from host.doctor.finding import Finding, failed, ok, warning

CHECK = "port"
ANSWER_SECONDS = 5.0


@dataclass(frozen=True)
class PortFacts:
    """The address that the host is to listen on.

    Attributes:
        host: Address or name.
        port: 0 stands for any free one.
        error: The number of the error when it was tried, of `errno`; None if it is free.
        reason: That error in the system's words.
        status: What a host that answers there says of itself; None if nothing of ours does.
    """

    host: str
    port: int
    error: int | None = None
    reason: str = ""
    status: HostStatus | None = None


def look_at_port(host: str, port: int) -> PortFacts:
    """Try the address, and ask who is there if it is taken."""
    try:
        _try(host, port)
    except (OSError, OverflowError) as error:
        number = error.errno if isinstance(error, OSError) and error.errno else errno.EINVAL
        taken = number == errno.EADDRINUSE
        return PortFacts(host, port, number, str(error), _status(host, port) if taken else None)
    return PortFacts(host, port)


def judge_port(facts: PortFacts) -> Finding:
    """Judge whether the host can listen there, or does."""
    name = f"{facts.host} port {facts.port or 'any'}"
    if facts.error is None:
        return ok(CHECK, f"{name} is free")
    if facts.status is not None:
        return _judge_status(name, facts.status)
    match facts.error:
        case errno.EADDRINUSE:
            fix = "end the program that listens there, or name another --port"
            return failed(CHECK, f"{name} is taken by another program", fix)
        case errno.EADDRNOTAVAIL:
            fix = "name an address of this machine as --host, 127.0.0.1 or 0.0.0.0 for example"
            return failed(CHECK, f"{name} is not an address of this machine", fix)
        case errno.EACCES:
            fix = "name a --port of 1024 or more"
            return failed(CHECK, f"{name} may not be used by this user", fix)
    return failed(CHECK, f"{name} cannot be used ({facts.reason})", "name another --host or --port")


def _judge_status(name: str, status: HostStatus) -> Finding:
    seen = (
        f"{name}: a host answers {status.status}, engine {status.engine} {status.engine_version}, "
        f"{status.busy} running, {status.queued} waiting"
    )
    if status.status == "ok":
        return ok(CHECK, seen)
    return warning(CHECK, seen, "look into its log; restart it if that stays so")


def _try(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        if os.name == "posix":  # else a port that was used a minute ago seems taken
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))


def _status(host: str, port: int) -> HostStatus | None:
    url = httpx.URL(scheme="http", host=_reachable(host), port=port, path=f"{API}/status")
    try:
        answer = httpx.get(url, timeout=ANSWER_SECONDS, trust_env=False)
        return HostStatus.model_validate_json(answer.content)
    except (httpx.HTTPError, ValidationError):
        return None


def _reachable(host: str) -> str:
    """Name the address at which a program that listens on all of them can be asked."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if not address.is_unspecified:
        return host
    return "127.0.0.1" if isinstance(address, ipaddress.IPv4Address) else "::1"
