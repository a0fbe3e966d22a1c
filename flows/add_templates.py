"""The flow `add-templates`: pictures of couples whose faces can be replaced.

from flows.add_templates import add_templates
report = add_templates(folder="/home/me/couples", category="movie", artist="J. Doe")
"""

from prefect import flow

from flows.parameters import (
    WORKERS,
    CategoryName,
    MostPictures,
    OptionalFolder,
    OptionalTitle,
    Priority,
    SourceUrl,
    Tags,
    unless_typed,
)
from storycanvas.couple.adding import COUPLE, AddedPicture, AddingReport
from tasks.couple.adding import TemplateFields, add_each, add_template, finish_adding
from tasks.couple.looking import SeenPicture, given_pictures, look_at_pictures
from tasks.faces.context import open_run_context
from tasks.log_lines import failing_in_a_sentence

_NAME = "add-templates"


@flow(
    name=_NAME,
    flow_run_name=unless_typed(_NAME),
    task_runner=WORKERS,
    validate_parameters=False,
)
@failing_in_a_sentence
def add_templates(
    pictures: MostPictures = (),
    folder: OptionalFolder = None,
    category: CategoryName = None,
    artist: OptionalTitle = None,
    source_url: SourceUrl = None,
    tags: Tags = (),
    title: OptionalTitle = None,
    priority: Priority = 0,
    dry_run: bool = False,
) -> AddingReport:
    """Add pictures of couples as templates, with the faces that are found; the same pixels once.

    One with fewer than two faces is added and not active, so the app does not offer it.

    Args:
        pictures: Addresses or paths of up to 1000 pictures.
        folder: A folder of this machine or of an image store, whose pictures are taken as well.
        category: Kind of the pictures, such as movie, tv, acg or custom.
        artist: Who made the pictures.
        source_url: Where they were published.
        tags: Words by which the app finds them.
        title: Title of all of them; left empty, each has the name of its file.
        priority: Larger goes first where runs wait for a GPU host, -100 to 100.
        dry_run: Only shows what would be added, what is there already, and what finding the faces
            would take.
    """
    fields = TemplateFields(title, artist, source_url)
    with open_run_context(dry_run=dry_run) as context:
        seen = look_at_pictures(context, given_pictures(context, pictures, folder), priority)

        def add(picture: SeenPicture) -> AddedPicture:
            return add_template(context, picture, fields, category, tags)

        added = add_each(seen.each, add)
        report = AddingReport(pictures=added, faces_needed=COUPLE, expected=seen.expected)
    return finish_adding(_NAME, report, dry_run=dry_run)
