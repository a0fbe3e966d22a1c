"""What the rows of a batch point to."""

from collections.abc import Iterator, Mapping
from typing import Any

from db.couple_import.errors import RowRefused
from db.couple_import.placement import Parent, Placement
from db.couple_import.tables import TEMPLATES, Table
from db.schema.later_names import Fields

_SINGLE_WORDS = {
    "templates": ("its image is that of", "template", "an image has one template"),
    "template_preprocessing": ("its template has", "row", "a template has one"),
}


class ForeignKeys:
    """What the rows of a batch may point to, found at once."""

    def __init__(self, placement: Placement, table: Table, rows: Mapping[int, Fields]) -> None:
        """Find the parents of rows."""
        self._table = table
        self._parents = {
            field: placement.parents(parent, _pointed_to(field, rows))
            for field, parent in table.relations.items()
        }
        self._keys = {
            field: placement.keys(parent, key, _pointed_to(field, rows))
            for field, (parent, key) in table.keyed.items()
        }
        self._listed = self._find_listed(placement, rows)
        self._holders = self._find_holders(placement)

    def resolve(self, legacy_id: int, fields: Fields) -> Fields:
        """Name the parents of a row by their ids; a template gets its image's category.

        A relation that is NULL stays null. The row is refused when a parent has no place, or takes
        one row only and has one.
        """
        related = dict(fields)
        for field, parent in self._own_parents(fields):
            related[field] = parent.id
            if self._table is TEMPLATES and related.get("category") is None:
                related["category"] = parent.category
        for field, known in self._keys.items():
            if fields.get(field) is not None and fields[field] not in known:
                raise _no_place(field, fields[field], self._table.keyed[field][0])
        self._name_listed(related)
        self._hold(legacy_id, related.get(self._table.single))
        return related

    def _own_parents(self, fields: Fields) -> Iterator[tuple[str, Parent]]:
        for field, parents in self._parents.items():
            wanted = fields.get(field)
            if wanted is None:
                continue
            if wanted not in parents:
                raise _no_place(field, wanted, self._table.relations[field])
            yield field, parents[wanted]

    def _find_listed(self, placement: Placement, rows: Mapping[int, Fields]) -> dict[int, Parent]:
        if self._table.listed is None:
            return {}
        field, parent = self._table.listed
        lists = (fields.get(field) for fields in rows.values())
        return placement.parents(
            parent,
            {own for ids in lists if isinstance(ids, list) for own in ids if _is_serial(own)},
        )

    def _name_listed(self, related: Fields) -> None:
        """Name the members of a list; the number of one that is gone stays."""
        if self._table.listed is None or not isinstance(related.get(self._table.listed[0]), list):
            return
        field = self._table.listed[0]
        related[field] = [
            self._listed[own].id if _is_serial(own) and own in self._listed else own
            for own in related[field]
        ]

    def _find_holders(self, placement: Placement) -> dict[str, int | None]:
        single = self._table.single
        if not single:
            return {}
        ids = {parent.id for parent in self._parents[single].values()}
        return placement.holders(self._table.name, single, ids)

    def _hold(self, legacy_id: int, parent_id: str | None) -> None:
        """Take a parent that can be taken once; what this row took in another run is its own."""
        if parent_id is None:
            return
        if self._holders.setdefault(parent_id, legacy_id) != legacy_id:
            holder = self._holders[parent_id]
            which, kind, rule = _SINGLE_WORDS[self._table.name]
            name = f"a {kind} of StoryCanvas" if holder is None else f"{kind} {holder}"
            raise RowRefused(f"{which} {name} already; {rule}")


def _no_place(field: str, wanted: object, parent: str) -> RowRefused:
    return RowRefused(f"{field} {wanted} has no place in {parent}")


def _is_serial(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63


def _pointed_to(field: str, rows: Mapping[int, Fields]) -> set[Any]:
    return {fields[field] for fields in rows.values() if fields.get(field) is not None}
