"""The tree of operations above a picture: what made it, of what, with every setting."""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

MAX_PICTURES, MAX_DEPTH = 500, 60
"""Of a tree; a face flow makes a dozen pictures in a row at most."""

SEEN = "the same picture as one above"
TOO_FAR = "what is above it is not followed further"
_NAME = re.compile(r"[A-Za-z0-9_.+ -]{1,80}")
_ROLES = {"swap": ("source face", "target")}


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class MadeBy(_Part):
    """The operation that made a picture.

    Attributes:
        known_from: The `ledger`, or the provenance in the picture's own `file`.
        settings: All its parameters, those with their defaults included.
        inputs: Pixel hashes of what it was made from.
        input_addresses: Where those were found then; empty where that is not known.
        models: What did the work, by the engine's names.
        used: Parameters really used where they differ from what was asked.
        others: Keys of other operations that made the same pixels.
    """

    known_from: Literal["ledger", "file"]
    operation_type: str
    settings: dict[str, Any]
    inputs: tuple[str, ...]
    input_addresses: tuple[str, ...] = ()
    engine: str
    engine_version: str
    made_at: datetime
    operation_key: str | None = None
    host: str | None = None
    seconds: float | None = None
    models: tuple[str, ...] = ()
    used: dict[str, str | int | float] = {}
    others: tuple[str, ...] = ()


class TracedPicture(_Part):
    """A picture of the tree.

    Attributes:
        role: What it is for the operation below it; `picture` for the one that was asked about.
        sha256: Its pixel hash.
        address: Where it can be seen; empty where only its hash is known.
        made_by: None for an original, and for a picture of which nothing is known.
        inputs: What it was made from, in the operation's order.
        note: Why the tree does not go on above it.
    """

    role: str
    sha256: str
    address: str = ""
    made_by: MadeBy | None = None
    inputs: tuple["TracedPicture", ...] = ()
    note: str = ""

    def pictures(self) -> Iterator["TracedPicture"]:
        """Yield this picture and all above it."""
        yield self
        for picture in self.inputs:
            yield from picture.pictures()


Finder = Callable[[str, str], tuple[str, MadeBy | None]]
"""Finds by pixel hash and address (which may be empty) where a picture is, and what made it."""


def trace(sha256: str, address: str, find: Finder) -> TracedPicture:
    """Follow a picture to the originals that it was made from."""
    return _Tracing(find).picture("picture", sha256, address, 0)


class _Tracing:
    def __init__(self, find: Finder) -> None:
        self._find = find
        self._met: set[str] = set()

    def picture(self, role: str, sha256: str, address: str, depth: int) -> TracedPicture:
        """Follow one picture; each is followed once, so that a ring of inputs ends."""
        if sha256 in self._met:
            return TracedPicture(role=role, sha256=sha256, address=address, note=SEEN)
        if depth >= MAX_DEPTH or len(self._met) >= MAX_PICTURES:
            return TracedPicture(role=role, sha256=sha256, address=address, note=TOO_FAR)
        self._met.add(sha256)
        address, made_by = self._find(sha256, address)
        inputs: tuple[TracedPicture, ...] = ()
        if made_by is not None:
            places = made_by.input_addresses or ("",) * len(made_by.inputs)
            given = zip(_roles(made_by), made_by.inputs, places, strict=True)
            inputs = tuple(self.picture(*each, depth + 1) for each in given)
        return TracedPicture(
            role=role, sha256=sha256, address=address, made_by=made_by, inputs=inputs
        )


def _roles(made_by: MadeBy) -> list[str]:
    """Name what each input is; a reference picture comes before those that are worked on."""
    usual = _ROLES.get(made_by.operation_type, ("input",))
    extra = len(made_by.inputs) - len(usual)
    if extra not in {0, 1}:
        return [f"input {number}" for number in range(1, len(made_by.inputs) + 1)]
    return [*["reference"] * extra, *usual]


def made_by_statement(statement: Mapping[str, Any] | None) -> MadeBy | None:
    """Read the provenance of a file, which anybody may have written; None where it is none."""
    if statement is None:
        return None
    fields = ("operation_type", "settings", "inputs", "made_at")
    names = ("operation", "parameters", "input_sha256", "created_at")
    given = {field: statement.get(name) for field, name in zip(fields, names, strict=True)}
    kept = ("engine", "engine_version", "models", "used")
    given |= {name: statement[name] for name in kept if name in statement}
    try:
        made_by = MadeBy.model_validate({"known_from": "file", **given})
    except ValidationError:
        return None
    names_of_it = (made_by.operation_type, made_by.engine, made_by.engine_version)
    return made_by if all(map(_NAME.fullmatch, names_of_it)) else None
