"""The flow `rank-references`: which reference image of a character is the best source of its face.

It needs the database and the image store, and neither a host nor a GPU:

    from flows.rank_references import rank_references
    report = rank_references("character-id")
    report = rank_references("character-id", apply=True)
"""

from prefect import flow

from flows.parameters import CharacterId, unless_typed
from tasks.artifacts import finished, publish_report
from tasks.characters.naming import id_of_character
from tasks.database.connection import opened_database
from tasks.likeness.meters import installed_gallery_meters
from tasks.likeness.references import NAME, ReferencesReport, measure_references, write_order
from tasks.log_lines import failing_in_a_sentence


@flow(
    name=NAME,
    flow_run_name=unless_typed(f"{NAME} · {{character_id}} · {{apply}}"),
    validate_parameters=False,
)
@failing_in_a_sentence
def rank_references(character_id: CharacterId, apply: bool = False) -> ReferencesReport:
    """Rank a character's reference images as sources of its face, and propose an order.

    The first reference image is the one that face flows start from. Size, pose and sharpness of
    the largest face count, and how like it is to the faces of the other references, where likeness
    can be measured. The first 30 images are compared; others stay behind them.

    Args:
        character_id: Id or name of the character whose reference images are ranked.
        apply: While this is off, the run only proposes; on, it writes the order and loses no image
            that was added meanwhile.

    Returns:
        The references, the best first, with reasons, and what was written.
    """
    meters = installed_gallery_meters()
    with opened_database() as database:
        report = measure_references(database, meters, id_of_character(database, character_id))
        if apply:
            report = write_order(database, report)
    publish_report(
        report.summary(), report.table(), lines=report.lines(), warnings=report.not_measured
    )
    return finished(report)
