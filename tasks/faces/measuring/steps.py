"""What is measured of the picture that a step made, and what it is compared with."""

from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Protocol, TypeVar

from PIL import Image

from db.errors import DatabaseError
from db.ledger import OperationLedger
from db.schema.documents.faces import OperationRecord
from storycanvas.faces.errors import CheckFailed
from storycanvas.faces.measures.measure import LikenessScale, PictureMeasure
from storycanvas.faces.operations import MaskOperation, SwapOperation
from storycanvas.faces.pictures.reading import Picture
from storycanvas.faces.plan import Step
from storycanvas.faces.results.checks import Bounds
from storycanvas.faces.results.picture_measure import Comparison
from storycanvas.faces.results.seen_faces import MeasuredPixels, SeenFaces
from tasks.faces.measuring.baselines import CharacterBound
from tasks.faces.measuring.measuring import (
    BoundsFinder,
    Measured,
    Measuring,
    PictureToMeasure,
)


@dataclass(frozen=True)
class MeasureRules:
    """Whether the pictures of a run are measured, and what follows from it.

    Attributes:
        on: Whether they are.
        fails: Whether a step fails whose picture a check finds wrong; else the report warns.
        bounds: What they are checked by.
    """

    on: bool = True
    fails: bool = False
    bounds: Bounds = field(default_factory=Bounds)


class Input(Protocol):
    """A picture that a step took."""

    @property
    def sha256(self) -> str:
        """Its pixel hash."""


I = TypeVar("I", bound=Input)  # noqa: E741 - a type


def is_measured(step: Step, record: OperationRecord) -> bool:
    """Check whether a step made a picture that shows faces: a mask shows none."""
    return record.output is not None and not isinstance(step.operation, MaskOperation)


def picture_to_measure(
    measuring: Measuring,
    ledger: OperationLedger,
    step: Step,
    record: OperationRecord,
    inputs: Sequence[I],
    read: Callable[[I], Picture],
    made: Callable[[], Image.Image],
    bounds: BoundsFinder,
) -> PictureToMeasure:
    """Describe what is measured of a step's picture.

    Args:
        measuring: Keeps the faces of pictures that were seen.
        ledger: Keeps the measure.
        step: The step.
        record: Its entry in the ledger.
        inputs: The pictures that it took.
        read: Reads one of them.
        made: Decodes the picture that it made.
        bounds: Finds what it is checked by.
    """

    def faces_of(given: I) -> SeenFaces:
        return measuring.faces_of(given.sha256, lambda: MeasuredPixels.of(read(given).image))

    swaps = isinstance(step.operation, SwapOperation)
    comparison = Comparison(
        partial(faces_of, inputs[-1]), partial(faces_of, inputs[-2]) if swaps else None
    )

    def keep(measure: PictureMeasure) -> None:
        with suppress(DatabaseError):  # it is measured again when the entry is met again
            ledger.keep_measure(record, measure.model_dump(mode="json"))

    return PictureToMeasure(step.operation, record, made, comparison, bounds, keep)


def bounds_of(
    rules: MeasureRules,
    character_id: str | None,
    scale: LikenessScale,
    own: Callable[[str], CharacterBound],
) -> Bounds:
    """Find what the likeness of a picture is checked by.

    Args:
        rules: Those of the run.
        character_id: Whose picture it is.
        scale: Whose distances are checked.
        own: Finds the bound of a character on that scale.

    Returns:
        Where the character's own bound cannot be had, the usual one with the reason.
    """
    if character_id is None or rules.bounds.same_below is not None:
        return rules.bounds
    try:
        found = own(character_id)
    except Exception as error:  # noqa: BLE001 - a picture is checked by the usual bound then
        found = CharacterBound(reason=f"the reference images were not compared: {error}")
    if found.same_below is None:
        return replace(rules.bounds, reason=found.reason.removesuffix("."))
    return replace(rules.bounds, of_character={scale: found.same_below})


def refuse(measured: Future[Measured] | None) -> None:
    """Wait for a picture to be measured, and refuse it if a check finds it wrong.

    Raises:
        CheckFailed: It does.
    """
    known = measured_of(measured, wait=True)
    if known is not None and known.verdict.failures:
        raise CheckFailed(
            f"{' '.join(known.verdict.failures)} The picture stays in the ledger; with checks on "
            "warn it is used."
        )


def measured_of(future: Future[Measured] | None, *, wait: bool) -> Measured | None:
    """Return what was measured; None where nothing was, or it is not known yet."""
    if future is None or not (wait or future.done()):
        return None
    try:
        return future.result()
    except CancelledError:
        return None
