"""Models become what the app can read and address.

The app reads its lists of models as a whole, so one document that it refuses makes the whole list
fail; and it puts the id of a row into addresses (docs/schema.md, Models). This module repairs
fields; the rows that match-models added are in `db.migrations.catalog_rows`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import get_args

from pymongo.database import Database

from db.connection import Document
from db.migrations.catalog_files import LINKED, ROWS
from db.migrations.catalog_rows import (
    FIELDS,
    RowRepair,
    count_wrong_rows,
    old_ids_in_odd_links,
    put_back_merged_rows,
    wrong_rows,
)
from db.migrations.engine import odd
from db.migrations.engine.check import Check, left_odd, left_without_id
from db.migrations.engine.expressions import Expression, is_a, when
from db.migrations.engine.fields import forget, restore_from_undo, set_with_undo
from db.migrations.engine.odd import UNDO
from db.migrations.engine.work import Work
from db.schema.documents.models import AppModelType
from db.setup.expiry import EVERY_FIELD

FORMER_CHECKSUMS = (
    "e819c2aeb3278edae43e5b1069e3c7b399b3d22d6ef429f02b8e310ca58f607c",
    "b17e51eaf65d624f0eb543193a024f874bb1163490df18c1095961ef1d0e8344",
    "db77a10a522fc5a3e93492b83405b176ed85e6f5f17e2c05e26bb66cb6358705",
)
"""Of this file before pieces that stood twice became calls; its steps are the same."""

_KEY = "m0006"
_NOTED: Document = {f"{UNDO}.{_KEY}": {"$exists": True}}
_LARGEST = 5_000_000
"""Bytes of a document that has room for a value once more before and once after the change."""


@dataclass(frozen=True)
class _Repair:
    """Documents that the app refuses, and what their fields become.

    Attributes:
        wrong: Finds them; false once they are repaired.
    """

    collection: str
    wrong: Expression
    values: Mapping[str, Expression]

    @property
    def odd(self) -> tuple[odd.Oddity, ...]:
        """Why a document is left."""
        return odd.oddities(self.values, _LARGEST)

    @property
    def found(self) -> Document:
        """A query for the wrong documents that can be changed."""
        return {"$expr": {"$and": [self.wrong, odd.writable(self.odd)]}}


def up(work: Work) -> None:
    """Repair rows that the app cannot address, then the documents that it refuses."""
    rows = RowRepair(work, _KEY, _LARGEST)
    work.in_ranges(ROWS, rows.repair)
    for repair in _REPAIRS:
        work.update(repair.collection, repair.found, set_with_undo(_KEY, repair.values))


def down(work: Work) -> None:
    """Restore each document; what was written since stays."""
    # A row that was merged has to be there again before the note that holds it goes.
    put_back_merged_rows(work.database, _KEY)
    for collection, names in _CHANGED.items():
        work.update(collection, _NOTED, [*restore_from_undo(_KEY, names), *forget(_KEY)])


def check(database: Database[Document]) -> Check:
    """Count the documents that are to be repaired, and those that were."""
    total = Check(
        remaining=count_wrong_rows(database),
        changed={
            f"{name}.{_KEY}": database[name].count_documents({"$and": [_NOTED, odd.NOT_DOUBLED]})
            for name in odd.collections_among(database, _CHANGED)
        },
        unresolved=(
            *left_without_id(database, ROWS, wrong_rows(database)),
            *left_odd(database, ROWS, {"$and": [wrong_rows(database), odd.WITH_ID]}),
        )
        if odd.is_collection(database, ROWS)
        else (),
    )
    for name in odd.collections_among(database, LINKED):
        old = {"model_id": {"$in": old_ids_in_odd_links(database, name, _KEY)}}
        total += Check(unresolved=left_odd(database, name, old))
    return sum((_check_repair(database, repair) for repair in _REPAIRS), total)


def _check_repair(database: Database[Document], repair: _Repair) -> Check:
    name = repair.collection
    if not odd.is_collection(database, name):
        return Check()
    count = database[name].count_documents(repair.found)
    return Check(
        remaining={f"{name}.{next(iter(repair.values))}": count},
        unresolved=left_odd(database, name, {"$expr": repair.wrong}, repair.odd),
    )


_NUMBER = "$civitai_info.modelId"
_AS_TEXT: Expression = {"$convert": {"input": _NUMBER, "to": "string", "onError": "", "onNull": ""}}
_TYPE = "$model_type"
_IS_FINER = {"$and": [is_a(_TYPE, "string"), {"$ne": [_TYPE, ""]}]}

_REPAIRS = (
    _Repair(
        ROWS,
        {"$and": [is_a("$civitai_info", "object"), {"$not": [is_a(_NUMBER, "string")]}]},
        {"civitai_info": {"$mergeObjects": ["$civitai_info", {"modelId": _AS_TEXT}]}},
    ),
    _Repair(
        "active_backend_models",
        {"$not": [{"$in": [_TYPE, [*get_args(AppModelType)]]}]},
        {"model_type": "other", "model_kind": when(_IS_FINER, _TYPE, "$model_kind")},
    ),
)

_CHANGED = {
    **dict.fromkeys(LINKED, ("model_id",)),
    ROWS: FIELDS,
    "active_backend_models": ("model_type", "model_kind"),
}
"""Fields that this migration changes, by collection, in the order in which they are restored."""
CHANGES = {**_CHANGED, **dict.fromkeys((ROWS, *LINKED), (EVERY_FIELD,))}
