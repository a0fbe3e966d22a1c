"""Models become what the app can read: text for Civitai's number, and types that it knows.

The app reads its lists of models as a whole, so one document that it refuses makes the whole list
fail (docs/schema.md, Models).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import get_args

from pymongo.database import Database

from db.connection import Document
from db.migrations.engine.check import Check, left_to_a_person
from db.migrations.engine.expressions import Expression, is_a, when
from db.migrations.engine.fields import UNDO, forget, restore_from_undo, set_with_undo
from db.migrations.engine.work import Work
from db.schema.documents.models import AppModelType

_KEY = "m0006"
_NOTED: Document = {f"{UNDO}.{_KEY}": {"$exists": True}}
_LARGEST = 5_000_000
"""Bytes of a document that has room for a value once more before and once after the change."""
_FITS: Expression = {"$lte": [{"$bsonSize": "$$ROOT"}, _LARGEST]}


@dataclass(frozen=True)
class _Repair:
    """Documents that the app refuses, and what their fields become.

    Attributes:
        wrong: Finds them; false once they are repaired.
    """

    collection: str
    wrong: Expression
    values: Mapping[str, Expression]


def up(work: Work) -> None:
    """Repair the documents that the app refuses."""
    for repair in _REPAIRS:
        possible = {"$expr": {"$and": [repair.wrong, _FITS]}}
        work.update(repair.collection, possible, set_with_undo(_KEY, repair.values))


def down(work: Work) -> None:
    """Restore each document; what was written since stays."""
    for repair in _REPAIRS:
        back = [*restore_from_undo(_KEY, repair.values), *forget(_KEY)]
        work.update(repair.collection, _NOTED, back)


def check(database: Database[Document]) -> Check:
    """Count the documents that the app refuses, and those that were repaired."""
    return sum((_check_repair(database, repair) for repair in _REPAIRS), Check())


def _check_repair(database: Database[Document], repair: _Repair) -> Check:
    collection = database[repair.collection]
    too_large = {"$expr": {"$and": [repair.wrong, {"$not": [_FITS]}]}}
    left = collection.count_documents(too_large)
    what = f"Documents of {repair.collection} too large for an undo note; make them smaller"
    name = f"{repair.collection}.{next(iter(repair.values))}"
    wrong = collection.count_documents({"$expr": repair.wrong})
    return Check(
        remaining={name: wrong - left},
        changed={name: collection.count_documents(_NOTED)},
        unresolved=(left_to_a_person(what, left, collection.find(too_large, {"id": True})),)
        if left
        else (),
    )


_NUMBER = "$civitai_info.modelId"
_AS_TEXT: Expression = {"$convert": {"input": _NUMBER, "to": "string", "onError": "", "onNull": ""}}
_TYPE = "$model_type"
_IS_FINER = {"$and": [is_a(_TYPE, "string"), {"$ne": [_TYPE, ""]}]}

_REPAIRS = (
    _Repair(
        "database_models",
        {"$and": [is_a("$civitai_info", "object"), {"$not": [is_a(_NUMBER, "string")]}]},
        {"civitai_info": {"$mergeObjects": ["$civitai_info", {"modelId": _AS_TEXT}]}},
    ),
    _Repair(
        "active_backend_models",
        {"$not": [{"$in": [_TYPE, [*get_args(AppModelType)]]}]},
        {"model_type": "other", "model_kind": when(_IS_FINER, _TYPE, "$model_kind")},
    ),
)
