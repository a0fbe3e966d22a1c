"""Finds what a listing changes about the stored models, without writing."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd

from db.schema.documents.models import AppModelType

MAX_LENGTH = 2**63
"""Sizes from here on do not fit MongoDB's whole numbers."""


class ListedModel(NamedTuple):
    """A model file as a server lists it; the fields are the columns of the frame, of type object.

    Attributes:
        folder: ComfyUI's folder, such as `loras`.
        path: Relative to the folder, normalised.
        raw_name: As the server spells it.
        size: Bytes; None if unknown.
        modified: Seconds since 1970; None if unknown.
        hashes: By kind; empty if unknown.
        metadata: Names and values of the file's own metadata; empty if it was not read.
        model_type: A type of `database_models`.
    """

    folder: str
    path: str
    raw_name: str
    size: int | None
    modified: float | None
    hashes: Mapping[str, str]
    metadata: Sequence[Sequence[str]]
    model_type: str


_APP_TYPES = frozenset(get_args(AppModelType))


def app_type(local_type: str) -> str:
    """The type that the app knows for a type of `database_models`."""
    return local_type if local_type in _APP_TYPES else "other"


def finer_kind(local_type: str) -> str | None:
    """The type of `database_models` that the app does not know; None if it does."""
    return None if local_type in _APP_TYPES else local_type


def local_type(stored: Mapping[str, Any]) -> object:
    """The type of `database_models` of a document of `active_backend_models`."""
    return stored.get("model_kind") or stored.get("model_type")


def plain_size(value: object) -> int | None:
    """Convert a value of a frame, perhaps a float, to bytes; None if MongoDB cannot hold it."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if math.isfinite(value) and 0 <= value < MAX_LENGTH else None


def plain_seconds(value: object) -> float | None:
    """Convert a value of a frame to seconds since 1970; None if it is not a finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        seconds = float(value)
    except OverflowError:
        return None
    return seconds if math.isfinite(seconds) else None


_Flags = npt.NDArray[np.bool_]
_LISTED = [*ListedModel._fields]


@dataclass(frozen=True, slots=True)
class Comparison:
    """A listing compared with the stored models.

    Attributes:
        new: Listed models whose id is not stored.
        doubtful: Listed models that may differ from what is stored, by their ids.
        unchanged: Ids of the other listed models.
        unlisted: Ids that are stored and not listed.
        missing: Those of them that are active.
    """

    new: dict[str, ListedModel]
    doubtful: dict[str, ListedModel]
    unchanged: list[str]
    unlisted: list[str]
    missing: list[str]


def compare(backend_id: str, listed: pd.DataFrame, stored: pd.DataFrame) -> Comparison:
    """Find out what is new, possibly different, and not listed.

    Args:
        backend_id: Whose models.
        listed: Columns as of `ListedModel`; of rows with the same folder and path the first counts.
        stored: Columns as of `db.catalog.listing.stored.COLUMNS`, without a repeated id.
    """
    listed = _with_ids(backend_id, listed)
    places = pd.Index(stored["id"]).get_indexer(pd.Index(listed["id"]))
    is_new, is_listed = places < 0, np.zeros(len(stored), dtype=np.bool_)
    is_listed[places[~is_new]] = True
    there, known = listed[~is_new], stored.take(places[~is_new])
    doubtful = _doubtful(there, known)
    unlisted = stored[~is_listed]
    return Comparison(
        new=_models(listed[is_new]),
        doubtful=_models(there[doubtful]),
        unchanged=[*there["id"][~doubtful]],
        unlisted=[*unlisted["id"]],
        missing=[*unlisted["id"][unlisted["is_active"].ne(False)]],
    )


def _with_ids(backend_id: str, listed: pd.DataFrame) -> pd.DataFrame:
    """Give each row its id, and undo what a frame makes of missing numbers."""
    paths = zip(listed["folder"], listed["path"], strict=True)
    ids = [f"{backend_id}/{folder}/{path}" for folder, path in paths]
    sizes = [None if size is None else plain_size(size) for size in listed["size"]]
    times = [None if time is None else plain_seconds(time) for time in listed["modified"]]
    columns = {"id": ids, "size": sizes, "modified": times}
    arrays = {name: np.array(values, dtype=object) for name, values in columns.items()}
    frame = listed.reset_index(drop=True).assign(**arrays)
    return frame if frame["id"].is_unique else frame.drop_duplicates("id")


def _doubtful(listed: pd.DataFrame, stored: pd.DataFrame) -> _Flags:
    """Find the rows whose whole document has to be compared; the others do not differ.

    Metadata, and hashes from it, stand in the whole document only; a listing has them once, when
    they were read.
    """
    same = np.array([row is True for row in stored["is_same_backend"]], dtype=np.bool_)
    same &= np.array([row is True for row in stored["is_active"]], dtype=np.bool_)
    same &= _equal(_mapped(listed["model_type"], app_type), stored["model_type"])
    same &= _equal(_mapped(listed["model_type"], finer_kind), stored["model_kind"])
    same &= _equal(listed["raw_name"], stored["raw_name"])
    same &= _is_unknown(listed["size"]) | _equal(listed["size"], stored["model_size"])
    same &= _is_unknown(listed["modified"]) | _equal(listed["modified"], stored["modified"])
    same &= ~np.fromiter(map(bool, listed["metadata"]), dtype=np.bool_, count=len(listed))
    hashed = np.fromiter(map(bool, listed["hashes"]), dtype=np.bool_, count=len(listed))
    if hashed.any():
        hashes = (listed["hashes"], stored["SHA256"], stored["BLAKE3"])
        some = zip(*(column[hashed] for column in hashes), strict=True)
        same[hashed] &= [
            all(known.get(kind) == value for kind, value in now.items())
            for now, known in ((now, {"SHA256": a, "BLAKE3": b}) for now, a, b in some)
        ]
    return ~same


def _equal(listed: pd.Series, stored: pd.Series) -> _Flags:
    return np.asarray(listed.to_numpy() == stored.to_numpy(), dtype=np.bool_)


def _mapped(listed: pd.Series, change: Callable[[str], str | None]) -> pd.Series:
    # Series.map would choose another type than object.
    return pd.Series([change(value) for value in listed], dtype=object)


def _is_unknown(listed: Iterable[object]) -> _Flags:
    return np.array([value is None for value in listed], dtype=np.bool_)


def _models(rows: pd.DataFrame) -> dict[str, ListedModel]:
    columns = [rows[name] for name in _LISTED]
    return dict(zip(rows["id"], map(ListedModel._make, zip(*columns, strict=True)), strict=True))
