"""The flow `add-pictures`: pictures of persons become pictures of the couple face-swap.

`couple-face-swap` takes their ids, which the report names:

    from flows.add_pictures import add_pictures
    report = add_pictures(folder="/home/me/photos", user_id="user-id", tags=("wedding",))
"""

from prefect import flow

from flows.parameters import (
    WORKERS,
    MostPictures,
    OptionalFolder,
    OptionalUserId,
    Priority,
    Tags,
    unless_typed,
)
from storycanvas.couple.adding import AddedPicture, AddingReport
from tasks.couple.adding import add_each, add_source, finish_adding, user_notes
from tasks.couple.looking import SeenPicture, given_pictures, look_at_pictures
from tasks.faces.context import open_run_context
from tasks.log_lines import failing_in_a_sentence

_NAME = "add-pictures"


@flow(
    name=_NAME,
    flow_run_name=unless_typed(_NAME),
    task_runner=WORKERS,
    validate_parameters=False,
)
@failing_in_a_sentence
def add_pictures(
    pictures: MostPictures = (),
    folder: OptionalFolder = None,
    user_id: OptionalUserId = None,
    tags: Tags = (),
    priority: Priority = 0,
    dry_run: bool = False,
) -> AddingReport:
    """Add pictures of persons, each a row of images; the same pixels of the same user once.

    A picture without a face is taken and listed, one that cannot be read is listed.

    Args:
        pictures: Addresses or paths of up to 1000 pictures.
        folder: A folder of this machine or of an image store, whose pictures are taken as well.
        user_id: Id of the user whose pictures they are; left empty, they are of none.
        tags: Words by which the app finds them.
        priority: Larger goes first where runs wait for a GPU host, -100 to 100.
        dry_run: Only shows what would be added, what is there already, and what finding the faces
            would take.
    """
    with open_run_context(dry_run=dry_run) as context:
        notes = user_notes(context, user_id)
        seen = look_at_pictures(context, given_pictures(context, pictures, folder), priority)

        def add(picture: SeenPicture) -> AddedPicture:
            return add_source(context, picture, user_id, tags)

        added = add_each(seen.each, add)
        report = AddingReport(pictures=added, notes=notes, expected=seen.expected)
    return finish_adding(_NAME, report, dry_run=dry_run)
