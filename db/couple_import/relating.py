"""The relations of rows become relations of documents."""

from collections.abc import Mapping

from db.couple_import.errors import RowRefused
from db.couple_import.placement import Placement
from db.couple_import.rows import Fields
from db.couple_import.tables import TEMPLATES, Table


class Relating:
    """What the rows of a batch may point to, found at once."""

    def __init__(self, placement: Placement, table: Table, rows: Mapping[int, Fields]) -> None:
        """Find the parents of rows.

        Args:
            placement: Where they are.
            table: Whose rows.
            rows: Their values by legacy id, relations still the ids of the source.
        """
        self._table = table
        self._parents = {
            field: placement.parents(parent, _pointed_to(field, rows))
            for field, parent in table.relations.items()
        }
        self._holders = self._find_holders(placement)

    def resolve(self, legacy_id: int, fields: Fields) -> Fields:
        """Name the parents of a row by their ids; a template gets its image's category.

        Args:
            legacy_id: The row's id.
            fields: Its values.

        Returns:
            The values of its document. A relation that is NULL stays null.

        Raises:
            RowRefused: A parent has no place, or takes one row only and has one.
        """
        related = dict(fields)
        for field, parents in self._parents.items():
            wanted = fields.get(field)
            if wanted is None:
                continue
            if wanted not in parents:
                parent = self._table.relations[field]
                raise RowRefused(f"{field} {wanted} has no place in {parent}")
            related[field] = parents[wanted].id
            if self._table is TEMPLATES:
                related["category"] = parents[wanted].category
        self._hold(legacy_id, related.get(self._table.single))
        return related

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
            name = "a template of StoryCanvas" if holder is None else f"template {holder}"
            raise RowRefused(f"its image is that of {name} already; an image has one template")


def _pointed_to(field: str, rows: Mapping[int, Fields]) -> set[int]:
    return {fields[field] for fields in rows.values() if fields.get(field) is not None}
