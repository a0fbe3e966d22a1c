"""The flow `find-characters`: characters by a part of their name or by their project.

It needs the database; what it shows of pictures comes from the image store:

    from flows.find_characters import find_characters
    found = find_characters("mara", project="night train")
"""

from prefect import flow

from db.character_search.found import CharacterQuery, CharactersFound
from flows.parameters import OptionalSearchText, unless_typed
from tasks.artifacts import finished, publish_report
from tasks.characters.finding import Finder, character_table, picture_sheet, search_characters
from tasks.database.connection import opened_database
from tasks.log_lines import failing_in_a_sentence


@flow(
    name="find-characters",
    flow_run_name=unless_typed("find-characters · {text} · {project}"),
    validate_parameters=False,
)
@failing_in_a_sentence
def find_characters(
    text: OptionalSearchText = None, project: OptionalSearchText = None
) -> CharactersFound:
    """Find characters, with picture, project and the id or name that other flows take.

    Args:
        text: Part of the character's name, in any case; left empty, any name.
        project: Id of the project or part of its name, in any case; left empty, any project.

    Returns:
        The characters by name, 200 at most, and whether there are more.
    """
    finder = Finder.configured()
    with opened_database() as database:
        found = search_characters(database, CharacterQuery(text=text, project=project))
    publish_report(
        found.summary(),
        character_table(found, finder),
        *picture_sheet(found, finder),
        lines=[each.line() for each in found.characters[:20]],
    )
    return finished(found)
