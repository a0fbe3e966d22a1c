"""Items of a batch, as people and the app write them (docs/pipelines/batch-process.md)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from storycanvas.faces.errors import BadField, FaceError
from storycanvas.faces.operations import KINDS
from storycanvas.faces.recipes.written import unknown_field
from storycanvas.net.wording import shown

MAX_OPERATIONS = 500
MAX_ITEMS = 1000
_MAX_REFERENCE = 2000
_KIND_NAMES = ("operation_type", "type")
_EDITOR_PREFIX = "face_editor_"


@dataclass(frozen=True)
class BatchItem:
    """One operation on its pictures, independent of all others.

    Attributes:
        index: Its place in the batch, from 0.
        operation_type: One of the six; as it was written where it is none of them.
        references: Its pictures in the order of the operation's; None is the character's first
            reference image.
        fields: Values of the operation by stored names.
        fault: Why it cannot be done; None if it can be planned.
    """

    index: int
    operation_type: str
    references: tuple[str | None, ...] = ()
    fields: Mapping[str, Any] = field(default_factory=dict)
    fault: FaceError | None = None

    @property
    def name(self) -> str:
        """What reports and sheets call it."""
        known = self.operation_type in KINDS
        return f"item {self.index} {self.operation_type}" if known else f"item {self.index}"


def read_items(operations: Sequence[object], pictures: Sequence[str] = ()) -> tuple[BatchItem, ...]:
    """Read the items of a batch; one that cannot be read holds its fault.

    Args:
        operations: 1 to 500 mappings.
        pictures: With pictures, every operation is done on each of them.

    Raises:
        BadField: There are no operations, or more than 1,000 items.
    """
    if not 0 < len(operations) <= MAX_OPERATIONS:
        raise BadField(
            f"operations: {len(operations)} are named; a batch has 1 to {MAX_OPERATIONS}."
        )
    places: Sequence[str | None] = pictures or [None]
    if len(operations) * len(places) > MAX_ITEMS:
        raise BadField(
            f"{len(operations)} operations on {len(pictures)} pictures are "
            f"{len(operations) * len(pictures):,} items; a batch has at most {MAX_ITEMS:,}."
        )
    pairs = [(written, picture) for picture in places for written in operations]
    return tuple(_item(index, written, picture) for index, (written, picture) in enumerate(pairs))


def _item(index: int, written: object, picture: str | None) -> BatchItem:
    kind = "unknown"
    try:
        if not isinstance(written, Mapping):
            raise BadField(f"{shown(written)} is no operation; it is an object with its type.")
        kind = _kind(written)
        references = _references(kind, written, picture)
        return BatchItem(index, kind, references, _fields(kind, written))
    except FaceError as fault:
        return BatchItem(index, kind, fault=fault)


def _kind(written: Mapping[Any, Any]) -> str:
    named = [name for name in _KIND_NAMES if name in written]
    if not named:
        raise BadField(f"operation_type is missing; it is one of {', '.join(KINDS)}.")
    if len(named) > 1:
        raise BadField("operation_type and type name one value; leave one of them out.")
    kind = written[named[0]]
    if type(kind) is not str or kind not in KINDS:  # code in BSON is a text without a hash
        raise BadField(f"{named[0]}: {shown(kind)} is none of {', '.join(KINDS)}.")
    return kind


def picture_names(kind: str) -> tuple[str, ...]:
    """Name the fields of an operation's pictures, in the order of its inputs."""
    return ("source_face_url", "target_image_url") if kind == "swap" else ("image_url",)


def _references(
    kind: str, written: Mapping[Any, Any], picture: str | None
) -> tuple[str | None, ...]:
    *_, changed = names = picture_names(kind)
    if picture is not None and changed in written:
        raise BadField(f"{changed} and pictures each name the picture; leave one of them out.")
    if kind == "swap" and picture is None and changed not in written:
        raise BadField(f"{changed} is missing: the picture that receives the face.")
    given = dict(written) if picture is None else {**written, changed: picture}
    return tuple(_reference(name, given.get(name)) for name in names)


def _reference(name: str, value: object) -> str | None:
    if value is None:
        return None
    text = value.strip() if isinstance(value, str) else ""
    if not text or len(text) > _MAX_REFERENCE:
        raise BadField(f"{name}: {shown(value)} is no address or path of a picture.")
    return text


def _fields(kind: str, written: Mapping[Any, Any]) -> dict[str, Any]:
    """Collect values by stored names, from `parameters` and from the item itself."""
    known, found, names = read_names(kind), {}, dict[str, str]()
    for name, value in _values(kind, written):
        stored = known.get(name) if isinstance(name, str) else None
        if stored is None:
            raise BadField(f"{unknown_field(kind, str(name)[:60], known)}.")
        if stored in found:
            raise BadField(f"{names[stored]} and {name} name one value; leave one of them out.")
        found[stored], names[stored] = value, name
    return {name: value for name, value in found.items() if value is not None}


def _values(kind: str, written: Mapping[Any, Any]) -> Iterator[tuple[Any, Any]]:
    parameters = written.get("parameters") or {}
    if not isinstance(parameters, Mapping):
        raise BadField(f"parameters: {shown(parameters)} is no object.")
    yield from parameters.items()
    left_out = {*_KIND_NAMES, *picture_names(kind), "parameters"}
    yield from ((name, value) for name, value in written.items() if name not in left_out)


def read_names(kind: str) -> dict[str, str]:
    """Map each name by which a value of an operation is read to the name that is stored.

    Those are the stored names, the names of the host's contract, and the values of the editor
    without their prefix.
    """
    stored = [name for name in KINDS[kind].model_fields if name != "operation_type"]
    names = {name: name for name in stored}
    names |= {info.alias: name for name, info in KINDS[kind].model_fields.items() if info.alias}
    if kind == "edit":
        names |= {
            name.removeprefix(_EDITOR_PREFIX): name
            for name in stored
            if name.startswith(_EDITOR_PREFIX)
        }
    return names
