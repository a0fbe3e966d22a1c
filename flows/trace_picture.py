"""The flow `trace-picture`: what a picture was made from, by which operations, with every setting.

It needs the database and the image store, and neither a host nor a GPU:

    from flows.trace_picture import trace_picture
    report = trace_picture("http://…/face.png")
"""

from functools import partial

from prefect import flow

from blocks.configured import open_image_store, viewing_url
from blocks.environment import Environment
from flows.parameters import Reference, unless_typed
from tasks.artifacts import finished, publish_report
from tasks.database.connection import opened_database
from tasks.log_lines import failing_in_a_sentence
from tasks.pictures.trace import NAME, TraceReport, trace_to_originals


@flow(name=NAME, flow_run_name=unless_typed(NAME), validate_parameters=False)
@failing_in_a_sentence
def trace_picture(picture: Reference) -> TraceReport:
    """Show what a picture was made from: the operations above it, up to the originals.

    Each operation is found in the ledger by the pixels of its picture, so a copy under another name
    has the same tree; where the ledger does not know it, the provenance in its file counts. A
    picture that no operation made is told to be one.

    Args:
        picture: Address, path in the image store, file, operation key or pixel hash of the picture.

    Returns:
        The tree, with every setting.
    """
    environment = Environment()
    store = open_image_store(environment)
    with opened_database() as database:
        report = trace_to_originals(database, store, picture)
    shown = report.artifacts(partial(viewing_url, store, environment))
    publish_report(report.summary(), *shown, lines=report.lines())
    return finished(report)
