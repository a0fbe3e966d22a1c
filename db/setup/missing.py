"""What a database lacks, and bringing back only that.

What is there, though it differs, stays as it is: nothing that a person has made is dropped or
changed, so a schedule and the start of the stack may do it.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace

from pymongo.database import Database

from db.connection import Document, translated_errors
from db.errors import CharactersMissing, DatabaseError, UnknownCharacter
from db.setup.compare import Difference

REQUIRED = (
    *("projects", "scenes", "clips", "characters", "style_templates", "comfyui_servers"),
    *("generation_batches", "facefusion_jobs", "facefusion_presets", "database_models"),
    *("inference_configurations", "civitai_models", "users"),
)
"""Without these the app does not work; it looks for them when it starts."""

_NAME_HELD = "An index of the registry on other fields has its name."


def missing_collections(database: Database[Document]) -> tuple[str, ...]:
    """Name the required collections that are not there, by one command and in a fixed order."""
    with translated_errors():
        found = database.list_collection_names(filter={"name": {"$in": REQUIRED}})
    return tuple(name for name in REQUIRED if name not in found)


def missing_sentence(database: Database[Document], names: Collection[str]) -> str:
    """Tell in a sentence which collections a database lacks and what creates them."""
    what = f"the {'collection' if len(names) == 1 else 'collections'} {', '.join(names)}"
    return (
        f"The database '{database.name}' lacks {what}; run init-db, which creates what is missing."
    )


def unknown_character(database: Database[Document], reason: str) -> UnknownCharacter:
    """Make the error of a character that is not found; without a collection, that is the reason."""
    try:
        missing = missing_collections(database)
    except DatabaseError:  # a user who may read the collection need not be allowed to list them
        missing = ()
    if "characters" in missing:
        return CharactersMissing(missing_sentence(database, missing))
    return UnknownCharacter(reason)


def leave_different(differences: Iterable[Difference]) -> Iterator[Difference]:
    """Leave alone what could be made right only by changing or dropping something."""
    for difference in differences:
        finding = difference.finding
        takes_a_place = bool(difference.replaces or difference.displaces)
        if finding.outcome == "repaired" or (finding.outcome == "created" and takes_a_place):
            left = {"outcome": "different", "reason": finding.reason or _NAME_HELD}
            yield replace(difference, finding=finding.model_copy(update=left))
        else:
            yield difference
