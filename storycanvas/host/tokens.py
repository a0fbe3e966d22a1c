"""Tokens that callers show: one from the environment, and named ones from a file."""

import hmac
import logging
import os
import re
import stat
import tomllib
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, SecretStr, TypeAdapter, ValidationError

_log = logging.getLogger(__name__)

LEAST_LENGTH = 16
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_OTHERS = 0o077
_REMEDY = "`storycanvas-host doctor` shows what it has to look like"


class TokensRefused(ValueError):
    """The file of tokens cannot be used."""


class TokensUnreadable(TokensRefused):
    """It is not there, or others can read it: none of its tokens lets in any more."""


@dataclass(frozen=True)
class Caller:
    """Who a token belongs to.

    Attributes:
        name: As in the file; empty for the token of the environment.
        waiting: Operations of it that may wait at one time; None for no bound but the queue's.
    """

    name: str = ""
    waiting: int | None = None


CALLER: ContextVar[Caller] = ContextVar("caller", default=Caller())  # noqa: B039 - frozen
"""Whose request is worked on; tasks inherit it from the one that starts them."""


class NamedToken(BaseModel):
    """A table of the file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    token: SecretStr = Field(min_length=LEAST_LENGTH)
    waiting: int | None = Field(None, ge=1)


_FILE = TypeAdapter(dict[str, NamedToken])


def read_tokens(path: Path) -> dict[str, NamedToken]:
    """Read a file of tokens: TOML with a table for each name.

    Raises:
        TokensUnreadable: It is not there, or can be read by others than its owner.
        TokensRefused: It is not what it should be. No message holds a part of a token.
    """
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            if os.name == "posix" and mode & _OTHERS:
                raise TokensUnreadable(
                    f"{path} has mode {mode:03o}, so others can read its tokens: chmod 600 {path}"
                )
            text = file.read()
    except OSError as error:
        raise TokensUnreadable(f"{path} cannot be read: {error.strerror}") from error
    try:
        found = _FILE.validate_python(tomllib.loads(text.decode()))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise TokensRefused(f"{path}: {where}: {first['msg']}; {_REMEDY}") from None
    except ValueError as error:  # neither UTF-8 nor TOML
        line = re.search(r"line \d+", str(error))
        raise TokensRefused(
            f"{path} is not TOML{f', {line[0]}' if line else ''}; {_REMEDY}"
        ) from None
    _check(path, found)
    return found


def _check(path: Path, found: dict[str, NamedToken]) -> None:
    seen: dict[str, str] = {}
    for name, entry in found.items():
        value = entry.token.get_secret_value()
        if not _NAME.fullmatch(name):
            raise TokensRefused(
                f"{path}: {name!r} is not a name: 1 to 64 letters, digits, dots, _ and -"
            )
        if not (value.isascii() and value.isprintable()) or " " in value:
            raise TokensRefused(
                f"{path}: the token of {name} has characters that no header can carry"
            )
        if value in seen:
            raise TokensRefused(
                f"{path}: {seen[value]} and {name} have the same token; give each its own"
            )
        seen[value] = name


class Tokens:
    """All tokens of a host; an edited file counts from the next request on.

    What is there but wrong leaves the tokens as they were, since it may be half written. A file
    that is gone, or that others can read, lets in no one by its tokens.
    """

    def __init__(self, token: SecretStr | None, path: Path | None) -> None:
        self._token = None if token is None else token.get_secret_value().encode()
        self._path = path
        self._state: tuple[int, ...] | None = None
        self._named: list[tuple[bytes, Caller]] = []
        if path is not None:
            self._reload()

    @property
    def needed(self) -> bool:
        """Whether a caller has to show a token."""
        return self._token is not None or self._path is not None

    def caller(self, given: bytes) -> Caller | None:
        """Return who a token belongs to; None if it is unknown.

        Takes as long for each unknown token, whatever it has in common with a known one.
        """
        return self.owner_of(lambda token: hmac.compare_digest(given, token))

    def owner_of(self, fits: Callable[[bytes], bool]) -> Caller | None:
        """Return who the token that fits belongs to; each one is looked at, whichever fits."""
        self._reload()
        known = [*self._named, *([(self._token, Caller())] if self._token is not None else [])]
        found = [caller for token, caller in known if fits(token)]
        return found[0] if found else None

    def _reload(self) -> None:
        if self._path is None:
            return
        state = _state_of(self._path)
        if state == self._state:
            return
        first, self._state = self._state is None, state
        try:
            found = read_tokens(self._path)
        except TokensRefused as error:
            if isinstance(error, TokensUnreadable):
                self._named = []
            _log.error("the tokens were not read anew: %s", error)
            return
        self._named = [
            (entry.token.get_secret_value().encode(), Caller(name, entry.waiting))
            for name, entry in found.items()
        ]
        names = ", ".join(found) or "none"
        _log.info("tokens %s: %s", "read" if first else "read anew", names)


def _state_of(path: Path) -> tuple[int, ...]:
    """Return what differs once a file was edited, replaced or given another mode."""
    try:
        seen = path.stat()
    except OSError:
        return ()
    return (seen.st_mtime_ns, seen.st_ctime_ns, seen.st_size, seen.st_ino, seen.st_mode)
