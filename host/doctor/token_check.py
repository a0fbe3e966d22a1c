"""Who is let in: is there a token where one is needed, and does it stay a secret?"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from host.command_line import TOKEN_VARIABLE
from host.doctor.finding import Finding, failed, ok, warning
from host.settings import is_loopback

CHECK = "token"
LEAST_LENGTH = 16
UNIT_FOLDERS = (Path("/etc/systemd/system"), Path("~/.config/systemd/user"))
UNIT = "storycanvas-host.service"
_OTHERS = 0o077
_MAKE = (
    f"write {TOKEN_VARIABLE}= and what `openssl rand -hex 32` gives into the environment file of "
    "the service, mode 600"
)


@dataclass(frozen=True)
class TokenFacts:
    """What can be said about a token without showing it.

    Attributes:
        loopback: Whether the host listens for its own machine only.
        length: Characters; None without a token.
        sendable: Whether a header can carry it: printable ASCII, no blank at an end.
        units: Files of the systemd unit that hold a token, which every user can read.
        open_files: Environment files of the unit that others than their owner can read.
    """

    loopback: bool
    length: int | None
    sendable: bool = True
    units: tuple[Path, ...] = ()
    open_files: tuple[Path, ...] = ()


def look_at_token(
    host: str, environment: Mapping[str, str], unit_folders: Sequence[Path] = UNIT_FOLDERS
) -> TokenFacts:
    """Look at the token in the environment, and for others that lie about in systemd's files."""
    token = environment.get(TOKEN_VARIABLE) or None
    units = {path: path.read_text(errors="replace") for path in _unit_files(unit_folders)}
    return TokenFacts(
        is_loopback(host),
        None if token is None else len(token),
        token is None or (token.isascii() and token.isprintable() and token == token.strip()),
        tuple(path for path, text in units.items() if _holds_token(text)),
        tuple(file for text in units.values() for file in _environment_files(text) if _open(file)),
    )


def judge_token(facts: TokenFacts) -> tuple[Finding, ...]:
    """Judge who can get in."""
    in_units = [
        warning(CHECK, f"{path} holds a token, and every user can read it", _MAKE)
        for path in facts.units
    ]
    in_files = [
        warning(CHECK, f"{path} can be read by others than its owner", f"chmod 600 {path}")
        for path in facts.open_files
    ]
    return (_judge_value(facts), *in_units, *in_files)


def _judge_value(facts: TokenFacts) -> Finding:
    if facts.length is None:
        if facts.loopback:
            return ok(CHECK, "none: callers on this machine only")
        return failed(CHECK, "none, and other machines are let in", _MAKE)
    if not facts.sendable:
        seen = f"{TOKEN_VARIABLE} has characters that no header can carry, or a blank at an end"
        return failed(CHECK, seen, _MAKE)
    if facts.length < LEAST_LENGTH:
        seen = f"{facts.length} characters, which can be guessed"
        return warning(CHECK, seen, f"take {LEAST_LENGTH} or more; {_MAKE}")
    return ok(CHECK, f"set, {facts.length} characters")


def _unit_files(folders: Sequence[Path]) -> Iterator[Path]:
    for folder in (folder.expanduser() for folder in folders):
        yield from (path for path in [folder / UNIT] if path.is_file())
        yield from sorted((folder / f"{UNIT}.d").glob("*.conf"))


def _holds_token(unit: str) -> bool:
    return re.search(rf"^\s*Environment\s*=.*\b{TOKEN_VARIABLE}=\S", unit, re.MULTILINE) is not None


def _environment_files(unit: str) -> list[Path]:
    found = re.findall(r"^\s*EnvironmentFile\s*=\s*-?(/\S+)", unit, re.MULTILINE)
    return [Path(name) for name in found]


def _open(file: Path) -> bool:
    try:
        return file.is_file() and bool(file.stat().st_mode & _OTHERS)
    except PermissionError:  # closed to this user, so to others, too
        return False
