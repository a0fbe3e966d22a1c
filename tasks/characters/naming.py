"""Reading the character that a person names, by id or by name, and naming the run after it."""

from prefect.logging import get_run_logger
from pymongo.database import Database

from db.characters import CharacterRepository
from db.connection import Document
from db.schema.documents.characters import Character
from tasks.retries import database_task
from tasks.run_names import renamed_for


def id_of_character(database: Database[Document], given: str) -> str:
    """Find the id of the character that a run is for, which is named after it from then on.

    Raises:
        UnknownCharacter: There is none.
        AmbiguousCharacter: Several have the name that is given.
    """
    character = read_named_character(database, given)
    renamed_for(character.name or character.id)
    return character.id


@database_task("load character {given}")
def read_named_character(database: Database[Document], given: str) -> Character:
    """Read a character by its id, or else by its name in any case, and log which one is taken."""
    character = CharacterRepository(database).find_named(given)
    for sentence in taken_name(given, character):
        get_run_logger().info(sentence)
    return character


def taken_name(given: str | None, character: Character | None) -> tuple[str, ...]:
    """Tell which character was taken for a name; nothing where its id was given."""
    if character is None or given == character.id:
        return ()
    project = f" of project {character.project_id!r}" if character.project_id else ""
    return (f"The name {given!r} is that of the character {character.id!r}{project}.",)
