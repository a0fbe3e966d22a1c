"""How like the changed face is, measured with FaceFusion's own recogniser after the change.

The faces of the picture before the change, and of a swap's source, are known from the operation, so
that only the new picture is searched.
"""

import logging
from collections.abc import Callable
from dataclasses import replace

from storycanvas.faces.measures.measure import Likeness
from storycanvas.faces.operations import FaceOperation, SwapOperation
from storycanvas.faces.pictures.reading import Picture
from storycanvas.host.engines.cancelling import current_cancellation
from storycanvas.host.engines.engine import EngineResult
from storycanvas.host.engines.facefusion.drivers.driver import rounded
from storycanvas.host.engines.facefusion.drivers.worker_process import FaceDistances
from storycanvas.host.engines.measuring import current_measuring

_log = logging.getLogger(__name__)

Compare = Callable[[Picture], FaceDistances | None]
"""Measures the faces of a changed picture; None where a changed face is not found again."""

LOST = "The likeness was not measured: no face was found where the changed face had been."
FAILED = "The likeness was not measured: FaceFusion failed over it; the host's log has the cause."


def with_likeness(operation: FaceOperation, result: EngineResult, compare: Compare) -> EngineResult:
    """Measure the likeness of a result, if that is wanted; what fails leaves the result as it is.

    Args:
        operation: What was done.
        result: What it gave, as the caller gets it.
        compare: Measures its picture.

    Raises:
        OperationCancelled: It was cancelled meanwhile.
    """
    measuring = current_measuring()
    if not measuring.wanted or not operation.changes_faces:
        return result
    measuring.begin()
    try:
        found = None if result.picture is None else compare(result.picture)
    except Exception as error:  # noqa: BLE001 - the picture is made, whatever fails after it
        current_cancellation().check()  # ending the process is how an operation is cancelled
        _log.warning("the likeness after %s was not measured: %s", operation.path, error)
        return replace(result, likeness_not_measured=FAILED)
    if found is None:
        return replace(result, likeness_not_measured=LOST)
    return replace(result, likeness=_likeness(operation, found))


def _likeness(operation: FaceOperation, found: FaceDistances) -> Likeness:
    return Likeness(
        compared_with="source" if isinstance(operation, SwapOperation) else "input",
        before=rounded(found.before),
        after=rounded(found.after),
        others=rounded(found.others),
        scale="facefusion",
    )
