"""The flow `apply-picture`: puts a picture that a face flow made where the app uses it.

It needs the database and the image store:

    from flows.apply_picture import apply_picture
    apply_picture("http://…/face.png", "reference image", character_id="character-id")
    apply_picture("http://…/face.png", "clip picture", clip_id="clip-id")
"""

from typing import Literal

from prefect import flow

from blocks.configured import open_image_store
from blocks.environment import Environment
from db.applied_pictures import AppliedPicture
from flows.parameters import OptionalCharacterId, Reference, unless_typed
from tasks.artifacts import finished, publish_report
from tasks.characters.naming import id_of_character
from tasks.database.apply import (
    applied_table,
    find_made_picture,
    only_for,
    put_first,
    put_into_clip,
)
from tasks.database.connection import opened_database
from tasks.log_lines import failing_in_a_sentence

Use = Literal["reference image", "clip picture"]


@flow(
    name="apply-picture",
    flow_run_name=unless_typed("apply-picture · {character_id} · {clip_id} · {use_as}"),
    validate_parameters=False,
)
@failing_in_a_sentence
def apply_picture(
    picture: Reference,
    use_as: Use = "reference image",
    character_id: OptionalCharacterId = None,
    clip_id: OptionalCharacterId = None,
    select: bool = True,
) -> AppliedPicture:
    """Put a picture that a face flow made first among a character's reference images, or in a clip.

    A picture that is there already is not added again. The report states how to undo the change.

    Args:
        picture: Address, path in the image store or operation key of the picture.
        use_as: What the picture becomes.
        character_id: Id or name of the character, for a reference image.
        clip_id: Id of the clip, for a clip picture.
        select: Has the clip show the picture; off, it shows what it showed before.

    Returns:
        What was done, and how to undo it.
    """
    whose, which = {"character_id": character_id}, {"clip_id": clip_id}
    is_reference = use_as == "reference image"
    wanted = only_for(use_as, *((whose, which) if is_reference else (which, whose)))
    store = open_image_store(Environment())
    with opened_database() as database:
        made = find_made_picture(database, store, picture)
        if is_reference:
            wanted = id_of_character(database, wanted)
            report = put_first(database, made, wanted)
        else:
            report = put_into_clip(database, made, wanted, select=select)
    publish_report(report.summary(), applied_table(report, wanted))
    return finished(report)
