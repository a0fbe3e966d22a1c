"""Which version of the app a database is of, and whether it can be imported as a whole.

The app's schema exists in four shapes. One that has a column of an earlier shape under its later
name while the others have their earlier names is none of them: it was changed by hand, and what
else was changed there is not known.
"""

from collections.abc import Collection, Iterator, Mapping

from db.couple_import.errors import ColumnsMissing, NamesMixed
from db.couple_import.tables import FACESWAP_TASKS, IMAGES, TEMPLATES, Table

Columns = Mapping[Table, Collection[str]]
"""The columns of each table that is there."""

FIRST = "the first version of the app"
BEFORE_LATER = "the app before version 1.5, with JSON tags"
MIGRATED = "version 1.5 of the app, migrated from an earlier one"
LATER = "version 1.5 of the app"
UNKNOWN = "a version that its tables do not tell"


def version_of(columns: Columns) -> str:
    """Name the version by what each one changed."""
    images, templates = columns.get(IMAGES, ()), columns.get(TEMPLATES, ())
    if any(table.later for table in columns) or any(_later_names(columns)):
        # The migration adds no category to the templates that it finds.
        return LATER if not templates or "category" in templates else MIGRATED
    if "image_metadata" in images:
        return BEFORE_LATER
    told = "metadata" in images or "title" in templates or FACESWAP_TASKS in columns
    return FIRST if told else UNKNOWN


def _later_names(columns: Columns) -> Iterator[str]:
    """Find what only the later version has, under any table."""
    for table, names in columns.items():
        new = {column.name for column in table.columns if column.later}
        if table is not IMAGES:
            new |= {later for later, _ in table.later_names}
        yield from new.intersection(names)


def check_columns(places: Mapping[Table, str], columns: Columns) -> None:
    """Refuse a database without columns that rows cannot do without, or with mixed names.

    Args:
        places: What each table is called in messages.
        columns: Those of the tables that are there.

    Raises:
        ColumnsMissing: Names are missing, all of which are listed.
        NamesMixed: A table has columns of two versions.
    """
    lacks = {table: [*table.missing(names)] for table, names in columns.items()}
    sentences = [
        f"the {places[table]} lacks {', '.join(names)}" for table, names in lacks.items() if names
    ]
    if sentences:
        raise ColumnsMissing(_sentence(sentences))
    mixed = [
        f"the {places[table]} has {_mixture(table, names)}"
        for table, names in columns.items()
        if _mixture(table, names)
    ]
    if mixed:
        raise NamesMixed(
            _sentence([*mixed, "give the columns of a table the names of one version"])
        )


def _mixture(table: Table, names: Collection[str]) -> str:
    """Name columns of the first version beside some of the later; empty when there are none."""
    old = [first for later, first in table.later_names if first in names and later not in names]
    new = [later for later, first in table.later_names if later in names and first not in names]
    if not old or not new:
        return ""
    return f"{', '.join(old)} of the app's first version beside {', '.join(new)} of the later"


def _sentence(parts: Collection[str]) -> str:
    text = "; ".join(parts)
    return f"{text[0].upper()}{text[1:]}; nothing was imported."
