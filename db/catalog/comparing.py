"""What a listing changes about what is stored: decided, not carried out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from db.catalog.adoption import adoptions
from db.catalog.backend_ref import BackendRef
from db.catalog.listed import ListedModel, plain_seconds, plain_size
from db.catalog.rewriting import Rewrite, new_document, rewrite
from db.connection import Document

_Flags = npt.NDArray[np.bool_]
_LISTED = [*ListedModel._fields]
_METADATA = ("raw_name", "modified", "hashes", "pairs")
_METADATA_OF = itemgetter(*_METADATA)
_METADATA_NAMES = frozenset(_METADATA)
_NOTHING = (None,) * len(_METADATA)


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a listing changes.

    Attributes:
        new: Documents of models that are not stored, without times.
        rewrites: Stored models that differ from what is listed, or were inactive.
        missing: Ids of stored active models that are not listed.
        unchanged: Ids of those that are as they are stored.
    """

    new: list[Document]
    rewrites: list[Rewrite]
    missing: list[str]
    unchanged: list[str]


def compare(backend: BackendRef, listed: pd.DataFrame, stored: pd.DataFrame) -> Comparison:
    """Find out what is new, different and missing.

    Args:
        backend: Whose models.
        listed: Columns as of `db.catalog.listed.ListedModel`; of rows with the same folder and
            path the first counts.
        stored: Columns as of `db.catalog.stored_models.COLUMNS`; no id is there twice.
    """
    listed = _with_ids(backend, listed)
    places = _places(listed["id"], stored["id"])
    adopted = adoptions(backend.id, listed[places < 0], stored[~_taken(places, len(stored))])
    if adopted:
        places = _places(listed["id"], [adopted.get(id_, id_) for id_ in stored["id"]])
    there = listed[places >= 0].reset_index(drop=True)
    known = stored.take(places[places >= 0]).reset_index(drop=True)
    differ = _differ(backend, there, known)
    both = pd.concat([there[differ], known[differ].add_suffix("_stored")], axis=1)
    rewrites = [rewrite(backend, row) for row in both.to_dict("records")]
    rewrites = [one for one in rewrites if one.fields]
    written = {one.stored_id for one in rewrites}
    gone = stored[~_taken(places, len(stored))]
    new = listed[places < 0][_LISTED].itertuples(index=False)
    return Comparison(
        new=[new_document(backend, ListedModel(*row)) for row in new],
        rewrites=rewrites,
        missing=[*gone["id"][gone["is_active"].ne(False)]],
        unchanged=[id_ for id_ in known["id"] if id_ not in written],
    )


def _places(listed: Iterable[str], stored: Iterable[str]) -> npt.NDArray[np.intp]:
    """Say in which row each listed id is stored; -1 where it is not."""
    return pd.Index([*stored], dtype=object).get_indexer(pd.Index([*listed], dtype=object))


def _taken(places: npt.NDArray[np.intp], count: int) -> _Flags:
    taken = np.zeros(count, dtype=np.bool_)
    taken[places[places >= 0]] = True
    return taken


def _with_ids(backend: BackendRef, listed: pd.DataFrame) -> pd.DataFrame:
    """Give each row its id, and take out what a frame makes of missing numbers."""
    paths = zip(listed["folder"], listed["path"], strict=True)
    columns: dict[str, list[Any]] = {
        "id": [f"{backend.id}/{folder}/{path}" for folder, path in paths],
        "size": [None if size is None else plain_size(size) for size in listed["size"]],
        "modified": [None if one is None else plain_seconds(one) for one in listed["modified"]],
    }
    made = {name: pd.Series(values, dtype=object) for name, values in columns.items()}
    frame = listed.reset_index(drop=True).assign(**made)
    return frame if frame["id"].is_unique else frame.drop_duplicates("id")


def _differ(backend: BackendRef, listed: pd.DataFrame, stored: pd.DataFrame) -> _Flags:
    """Say quickly which rows may have to be written; the others need not be looked at."""
    raw_names, modified, hashes, pairs = _metadata(stored["model_metadata"])
    differs = np.zeros(len(listed), dtype=np.bool_)
    checks: list[Iterable[object]] = [
        listed["id"].ne(stored["id"]),
        [one is not True for one in stored["is_active"]],
        stored["backend_name"].ne(backend.name),
        stored["backend_url"].ne(backend.url),
        listed["model_type"].ne(stored["model_type"]),
        _told_otherwise(listed["raw_name"], raw_names),
        _told_otherwise(listed["size"], stored["model_size"]),
        _told_otherwise(listed["modified"], modified),
        _told_otherwise([one or None for one in listed["hashes"]], hashes),
        _told_otherwise([one or None for one in listed["metadata"]], pairs),
    ]
    for check in checks:
        differs |= np.asarray(check, dtype=np.bool_)
    return differs


def _metadata(documents: Iterable[object]) -> Sequence[Sequence[object]]:
    """Take what `model_metadata` holds, field by field; nothing where it is of another shape."""
    rows = [
        _METADATA_OF(one) if isinstance(one, dict) and one.keys() >= _METADATA_NAMES else _NOTHING
        for one in documents
    ]
    return [*zip(*rows, strict=True)] or [()] * len(_METADATA)


def _told_otherwise(listed: Iterable[object], stored: Iterable[object]) -> list[bool]:
    """Compare what is listed with what is stored, row by row, where anything is listed."""
    return [now is not None and now != before for now, before in zip(listed, stored, strict=True)]
