"""Changing fields of documents on the server so that it can be undone exactly.

The update that changes a document also stores an undo note in it: the values before, under
`migration_undo` and the migration's key. So a kill between any two documents loses nothing, on a
standalone server too; a document is never changed twice; and what the app writes later is kept.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from pymongo.collection import Collection

from db.connection import Document
from db.migrations.engine import odd
from db.migrations.engine.expressions import (
    MISSING,
    Expression,
    called,
    differ,
    each,
    is_a,
    only,
    when,
)
from db.migrations.engine.odd import UNDO

Rule = Callable[[Expression], Expression]
"""Builds the expression of a field's new value from the expression of its value."""
Change = tuple[Document, Document | list[Document]]
"""A query, and the update of what it finds."""

_NEW = "migration_new_values"
"""Field that a document has during an update only, so that each rule is computed once."""


@dataclass(frozen=True)
class FieldCounts:
    """Numbers of documents.

    Attributes:
        wrong: Documents whose field has to change and can.
        noted: Documents whose field was changed.
        left: Documents with a field that has to change and cannot, by the number of the oddity.
    """

    wrong: dict[str, int]
    noted: dict[str, int]
    left: dict[int, int]


@dataclass(frozen=True)
class FieldChange:
    """A change of some fields of a collection's documents.

    Attributes:
        key: Key of the undo notes, such as `m0001`.
        rules: What each field should be; a rule returns the value itself where it is right.
        defaults: What the rules return for missing fields, where it is the same for all documents.
            Documents without any of the fields are then changed by an update that costs the
            server least.
        former: What an earlier release made of a field; `down` restores that, too.
        candidates: Finds every document that has to change, and some that do not, at less cost
            than the rules; empty where nothing is cheaper.
    """

    key: str
    collection: str
    rules: Mapping[str, Rule]
    defaults: Mapping[str, object] = field(default_factory=dict)
    former: Mapping[str, Rule] = field(default_factory=dict)
    candidates: Document = field(default_factory=dict)

    @property
    def noted(self) -> Document:
        """A query for the documents that were changed."""
        return {f"{UNDO}.{self.key}": {"$exists": True}}

    def up(self, collection: Collection[Document], which: Document) -> Iterator[Change]:
        """Build the updates of the documents of a range that have to change, cheapest first."""
        if self.defaults:
            fill_in = {"$set": {**self.defaults, **self._filled_note}}
            same = odd.with_the_names_of_the_first(collection, {"$and": [which, self._without]})
            if same is not None:
                yield {**self._without, **same}, fill_in
                yield {**self._without, "$expr": odd.writable(odd.oddities())}, fill_in
        yield self._change()

    def _change(self) -> Change:
        """Build the update of the documents that the rules have to be computed for."""
        possible = odd.writable(self._odd)
        if self.candidates:
            needed: Document = {"$and": [self.candidates, {"$expr": possible}]}
        else:
            needed = {"$expr": {"$and": [self._any_is_wrong, possible]}}
        return needed, self._update()

    def _update(self) -> list[Document]:
        """Build the update by the rules; a document in which nothing is wrong stays as it is."""
        values = {name: rule(f"${name}") for name, rule in self.rules.items()}
        is_wrong = {name: differ(f"${_NEW}.{name}", f"${name}") for name in self.rules}
        notes = [when(wrong, {name: note_of(f"${name}")}, {}) for name, wrong in is_wrong.items()]
        noted = add_notes(self.key, notes)[UNDO]
        changed = {name: f"${_NEW}.{name}" for name in self.rules}
        changed[UNDO] = when({"$or": [*is_wrong.values()]}, noted, f"${UNDO}")
        return [{"$set": {_NEW: values}}, {"$set": changed}, {"$unset": _NEW}]

    def down(self, *_range: object) -> Iterator[Change]:
        """Build the update that restores a document; what was written since stays."""
        restored = {name: self._restored(name) for name in self.rules}
        query = {"$and": [self.noted, odd.NOT_DOUBLED]}
        yield query, [{"$set": restored}, *forget(self.key)]

    def counts(self, collection: Collection[Document]) -> FieldCounts:
        """Count documents by field."""
        # Most documents of a large collection are of this kind, and plain equality finds them
        # several times as fast as the rules do.
        filled = collection.count_documents(self._filled) if self.defaults else 0
        rest: Document = {}
        if filled < collection.count_documents({}):
            rest = self._count_noted(collection) | self._count_wrong(collection)
        numbers = range(1, len(self._odd) + 1)
        return FieldCounts(
            {name: rest.get(f"wrong {name}", 0) for name in self.rules},
            {name: filled + rest.get(f"noted {name}", 0) for name in self.rules},
            {number: rest[f"left {number}"] for number in numbers if rest.get(f"left {number}")},
        )

    def left_by(self, number: int) -> tuple[str, Document]:
        """Say what is wrong with the documents of an oddity, and build the query for them."""
        is_left = {"$and": [self._any_is_wrong, {"$eq": [odd.which_oddity(self._odd), number]}]}
        query = {"$and": [self.candidates, {"$expr": is_left}]}
        return f"Documents of {self.collection} {self._odd[number - 1].what}", query

    @cached_property
    def _odd(self) -> tuple[odd.Oddity, ...]:
        return odd.oddities(self.rules, odd.LARGEST)

    @property
    def _filled(self) -> Document:
        """A query for documents that had none of the fields, and have what these were given."""
        # To a query, null alone would be a missing field, too.
        given = {
            name: {"$type": "null"} if value is None else value
            for name, value in self.defaults.items()
        }
        return {**given, **self._filled_note}

    @property
    def _filled_note(self) -> Document:
        return {f"{UNDO}.{self.key}": {name: [] for name in self.rules}}

    @property
    def _others(self) -> list[Document]:
        return [{"$nor": [self._filled]}] if self.defaults else []

    def _count_noted(self, collection: Collection[Document]) -> Document:
        """Count by field the documents that can be restored."""
        query = {"$and": [self.noted, *self._others, odd.NOT_DOUBLED]}
        sums = {
            f"noted {name}": {"$sum": when(is_a(note_path(self.key, name), "array"), 1, 0)}
            for name in self.rules
        }
        return _sums(collection, [{"$match": query}], sums)

    def _count_wrong(self, collection: Collection[Document]) -> Document:
        """Count what has to change: by field where it can, else by oddity."""
        wrong = {f"wrong_{number}": self._is_wrong(name) for number, name in enumerate(self.rules)}
        any_wrong = {"$or": [f"$$found.{name}" for name in wrong]}
        flags: Document = {f"{name}": f"$$found.{name}" for name in wrong}
        flags["left"] = when(any_wrong, odd.which_oddity(self._odd), 0)
        can = {"$eq": ["$left", 0]}
        sums: Document = {
            f"wrong {name}": {"$sum": when({"$and": [can, f"$wrong_{number}"]}, 1, 0)}
            for number, name in enumerate(self.rules)
        }
        for number in range(1, len(self._odd) + 1):
            sums[f"left {number}"] = {"$sum": when({"$eq": ["$left", number]}, 1, 0)}
        query = {"$and": [self.candidates, *self._others]}
        flagged = {"$replaceWith": {"$let": {"vars": {"found": wrong}, "in": flags}}}
        return _sums(collection, [{"$match": query}, flagged], sums)

    def are_right(self) -> dict[str, Expression]:
        """Build by field the expression that checks it."""
        return {name: {"$not": [self._is_wrong(name)]} for name in self.rules}

    @property
    def _without(self) -> Document:
        """A query for documents that have none of the fields."""
        return {name: {"$exists": False} for name in (*self.rules, f"{UNDO}.{self.key}")}

    @property
    def _any_is_wrong(self) -> Expression:
        return {"$or": [self._is_wrong(name) for name in self.rules]}

    def _is_wrong(self, name: str) -> Expression:
        return differ(self.rules[name](f"${name}"), f"${name}")

    def _restored(self, name: str) -> Expression:
        note = note_path(self.key, name)
        was = {"$arrayElemAt": [note, 0]}
        rules = [rules[name] for rules in (self.rules, self.former) if name in rules]
        untouched = {"$or": [{"$eq": [f"${name}", rule(was)]} for rule in rules]}
        return when({"$and": [is_a(note, "array"), untouched]}, was, f"${name}")


def _sums(collection: Collection[Document], stages: list[Document], sums: Document) -> Document:
    return next(iter(collection.aggregate([*stages, {"$group": {"_id": None, **sums}}])), {})


def changed_fields(changes: Iterable[FieldChange]) -> dict[str, tuple[str, ...]]:
    """Name by collection the fields that some changes may change."""
    return {change.collection: tuple(change.rules) for change in changes}


def note_path(key: str, name: str) -> Expression:
    """Build the path of a migration's undo note on a field."""
    return f"${UNDO}.{key}.{name}"


def note_of(value: Expression) -> Expression:
    """Build the note of a value: a list, which is empty when there was none."""
    return when(is_a(value, "missing"), [], [value])


def add_notes(key: str, notes: list[Expression]) -> Document:
    """Build the update that adds undo notes; an older note on the same field stays."""
    merged = {"$mergeObjects": [*notes, f"${UNDO}.{key}"]}
    return {UNDO: {"$mergeObjects": [f"${UNDO}", {key: merged}]}}


def forget(*keys: str) -> list[Document]:
    """Build the update that removes the undo notes of migrations."""
    emptied = when({"$eq": [f"${UNDO}", {}]}, MISSING, f"${UNDO}")
    return [{"$unset": [f"{UNDO}.{key}" for key in keys]}, {"$set": {UNDO: emptied}}]


_ORDER = "order"


def set_with_undo(key: str, values: Mapping[str, Expression]) -> list[Document]:
    """Build the update that sets fields and notes their first and their new value.

    `MISSING` as a value removes the field.
    """
    notes: Document = {
        name: {
            "was": {"$ifNull": [f"{note_path(key, name)}.was", note_of(f"${name}")]},
            "now": note_of(value),
        }
        for name, value in values.items()
    }
    if MISSING in values.values():
        names = each("field", {"$objectToArray": "$$ROOT"}, lambda field: f"{field}.k")
        notes[_ORDER] = {"$ifNull": [note_path(key, _ORDER), names]}
    merged = {"$mergeObjects": [f"${UNDO}.{key}", notes]}
    return [{"$set": {**values, UNDO: {"$mergeObjects": [f"${UNDO}", {key: merged}]}}}]


def restore_from_undo(key: str, names: Iterable[str]) -> list[Document]:
    """Build the update that restores fields, unless they were written to since."""
    return [{"$set": {name: _restored(key, name) for name in names}}]


def in_noted_order(key: str) -> list[Document]:
    """Build the update that restores the order of fields from before a removal."""
    order = note_path(key, _ORDER)

    def put(fields: str) -> Expression:
        known = each(
            "name",
            order,
            lambda name: only("field", fields, lambda field: {"$eq": [f"{field}.k", name]}),
        )
        first = {
            "$reduce": {
                "input": known,
                "initialValue": [],
                "in": {"$concatArrays": ["$$value", "$$this"]},
            }
        }
        newer = only("field", fields, lambda field: {"$not": [{"$in": [f"{field}.k", order]}]})
        return {"$arrayToObject": {"$concatArrays": [first, newer]}}

    ordered = called("fields", {"$objectToArray": "$$ROOT"}, put)
    return [{"$replaceWith": when(is_a(order, "array"), ordered, "$$ROOT")}]


def _restored(key: str, name: str) -> Expression:
    note = note_path(key, name)
    untouched = {"$eq": [note_of(f"${name}"), f"{note}.now"]}
    was = when({"$eq": [f"{note}.was", []]}, MISSING, {"$arrayElemAt": [f"{note}.was", 0]})
    return when({"$and": [is_a(note, "object"), untouched]}, was, f"${name}")
