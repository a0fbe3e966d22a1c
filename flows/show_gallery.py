"""The flow `show-gallery`: all results of a character on one page.

It needs the database and the image store, and neither a host nor a GPU:

    from flows.show_gallery import show_gallery
    print(show_gallery("character-id").page)
"""

from functools import partial

from prefect import flow

from blocks.configured import open_image_store, viewing_url
from blocks.environment import Environment
from flows.parameters import CharacterId, unless_typed
from tasks.artifacts import finished, publish_report
from tasks.characters.naming import id_of_character
from tasks.database.connection import opened_database
from tasks.log_lines import failing_in_a_sentence
from tasks.pictures.gallery import NAME, GalleryReport, make_gallery


@flow(name=NAME, flow_run_name=unless_typed(NAME + " · {character_id}"), validate_parameters=False)
@failing_in_a_sentence
def show_gallery(character_id: CharacterId) -> GalleryReport:
    """Show all results of a character on one page, by flow and day, with model and settings.

    The page lies beside the pictures of the image store, opens without a network and is made anew
    after each run that adds to it; this makes it now. It also has what the app put into the gallery
    itself, and what lies on the way to the results.

    Args:
        character_id: Id or name of the character whose results are shown.

    Returns:
        How many pictures there are, and where the page is.
    """
    environment = Environment()
    store = open_image_store(environment)
    with opened_database() as database:
        character_id = id_of_character(database, character_id)
        gallery = make_gallery(database, store, character_id)
    viewing = partial(viewing_url, store, environment)
    report = gallery.report.model_copy(update={"page": viewing(gallery.report.page)})
    publish_report(report.summary(), gallery.artifact(viewing))
    return finished(report)
