"""Measuring what steps make, beside the steps: it holds up no slot and no step that follows."""

import contextvars
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace

from PIL import Image
from pydantic import ValidationError

from db.ledger import OperationLedger
from db.schema.documents.faces import OperationRecord
from storycanvas.faces.measures.measure import (
    MEASURE_VERSION,
    FaceMeasure,
    Likeness,
    LikenessScale,
    PictureMeasure,
)
from storycanvas.faces.operations import FaceOperation
from storycanvas.faces.results.checks import Bounds, Verdict, check_measure
from storycanvas.faces.results.meters import Meters, installed_meters
from storycanvas.faces.results.picture_measure import Comparison, measure_picture, unmeasured
from storycanvas.faces.results.seen_faces import MeasuredPixels, SeenFaces
from storycanvas.faces.results.step_notes import step_findings

MEASURERS = 1
"""Threads that measure. OpenCV uses all cores by itself, and each more takes 45 MB for networks of
its own, through a run that has 600 MB."""

MAX_WAITING = 2
"""Pictures whose pixels wait to be measured; the step that makes another waits for room."""

CHECKERS = 1
"""Threads that check what was measured: its bound may come from a host, for which they wait."""

MAX_SEEN = 16
"""Pictures whose faces are kept, with the pixels around them only."""


@dataclass(frozen=True)
class Measured:
    """What was measured of a step's picture, and what that says against it.

    Attributes:
        seconds: What measuring took; 0 where it was measured before.
        is_new: Whether the ledger does not have it yet.
    """

    measure: PictureMeasure
    verdict: Verdict = field(default_factory=Verdict)
    seconds: float = 0.0
    is_new: bool = False


BoundsFinder = Callable[[LikenessScale], Bounds]
"""Finds what a likeness on a scale is checked by."""


@dataclass(frozen=True)
class PictureToMeasure:
    """A picture that a step made.

    Attributes:
        operation: What made it.
        record: Its entry in the ledger.
        image: Decodes it.
        comparison: The pictures before.
        bounds: Finds what it is checked by; asked where its likeness was measured.
        keep: Keeps a new measure.
    """

    operation: FaceOperation
    record: OperationRecord
    image: Callable[[], Image.Image]
    comparison: Comparison
    bounds: BoundsFinder
    keep: Callable[[PictureMeasure], None]


class Measuring:
    """Measures pictures in threads of its own, each once. Thread-safe.

    Args:
        meters: Finds what there is to measure with; asked when the first picture comes.
    """

    def __init__(self, meters: Callable[[], Meters] = installed_meters) -> None:
        self._meters = meters
        self._measurers = ThreadPoolExecutor(MEASURERS, "measure")
        self._checkers = ThreadPoolExecutor(CHECKERS, "check")
        self._room = threading.BoundedSemaphore(MAX_WAITING)
        self._seen: OrderedDict[str, SeenFaces] = OrderedDict()
        self._lock = threading.Lock()

    def meters(self) -> Meters:
        """Return what there is to measure with."""
        return self._meters()

    def close(self) -> None:
        """Measure nothing more; what is being measured is given up."""
        for threads in (self._measurers, self._checkers):
            threads.shutdown(wait=False, cancel_futures=True)

    def submit(
        self, picture: PictureToMeasure, pixels: MeasuredPixels | None
    ) -> Future[Measured] | None:
        """Measure a picture unless its entry has all there is to measure, and check it.

        Waits for room first.

        Args:
            picture: The picture.
            pixels: Where they are at hand; else it is decoded, if it is to be measured.

        Returns:
            What will hold the measure; None once nothing more is measured.
        """
        if pixels is not None:
            self._room.acquire()
        try:
            measured = self._measurers.submit(self._measured, picture, pixels)
        except RuntimeError:  # closed
            if pixels is not None:
                self._room.release()
            return None
        if pixels is not None:
            measured.add_done_callback(lambda _: self._room.release())
        run = contextvars.copy_context().run  # a host's answer is logged where the step is
        try:
            return self._checkers.submit(run, self._checked, picture, measured)
        except RuntimeError:  # closed meanwhile
            return None

    def faces_of(self, sha256: str, pixels: Callable[[], MeasuredPixels]) -> SeenFaces:
        """Find the faces of a picture, by its pixel hash; of one that was seen lately at once."""
        with self._lock:
            found = self._seen.get(sha256)
        if found is None:
            finder = self._meters().landmarks
            found = pixels().faces(finder) if finder is not None else ()
        with self._lock:
            self._seen[sha256] = found
            self._seen.move_to_end(sha256)
            while len(self._seen) > MAX_SEEN:
                self._seen.popitem(last=False)
        return found

    def _measured(self, picture: PictureToMeasure, pixels: MeasuredPixels | None) -> Measured:
        started = time.monotonic()
        known = known_measure(picture.record)
        meters = self._meters()
        if known is not None and is_current(known, meters):
            return Measured(known)
        try:
            measure = self._measure(picture, pixels, meters, kept_likeness(known))
            measure = with_reason_of_host(measure, known)
            picture.keep(measure)
        except Exception as error:  # noqa: BLE001 - a picture without a measure is still a result
            reason = f"The picture was not measured: {error}"
            return Measured(PictureMeasure(not_measured=(reason,)))
        return Measured(measure, seconds=time.monotonic() - started, is_new=True)

    def _checked(self, picture: PictureToMeasure, measuring: Future[Measured]) -> Measured:
        measured = measuring.result()
        likeness = measured.measure.likeness
        bounds = Bounds()
        if likeness is not None and likeness.scale == "facefusion":
            bounds = picture.bounds(likeness.scale)
        elif likeness is not None:  # it computes with the networks of the pictures
            bounds = self._measurers.submit(picture.bounds, likeness.scale).result()
        return replace(measured, verdict=check_measure(measured.measure, bounds))

    def _measure(
        self,
        picture: PictureToMeasure,
        pixels: MeasuredPixels | None,
        meters: Meters,
        likeness: Likeness | None,
    ) -> PictureMeasure:
        output = picture.record.output
        if meters.landmarks is None or output is None:
            return unmeasured(meters, likeness)

        def decoded() -> MeasuredPixels:
            return pixels or MeasuredPixels.of(picture.image())

        faces = self.faces_of(output.sha256, decoded)
        boxes = picture.record.boxes()
        measure = measure_picture(faces, boxes, picture.comparison, meters, likeness)
        made = None if measure.chosen is None else faces[measure.chosen]
        return measure.with_findings(
            step_findings(picture.operation, boxes, picture.comparison, made)
        )


def known_measure(record: OperationRecord) -> PictureMeasure | None:
    """Read what an entry of the ledger has; None where that is nothing that can be read."""
    if record.measure is None:
        return None
    try:
        return PictureMeasure.model_validate(record.measure)
    except ValidationError:
        return None


def known_faces(ledger: OperationLedger, sha256: str) -> tuple[FaceMeasure, ...] | None:
    """Find the faces of a picture as the run measured them that made it; None where none did.

    Args:
        ledger: Has the measures.
        sha256: Pixel hash of the picture.
    """
    for record, output in ledger.pictures_with(sha256):
        measure = known_measure(record) if output == record.output else None
        if measure and measure.version == MEASURE_VERSION and "age" in measure.meters:
            return measure.faces
    return None


def kept_likeness(known: PictureMeasure | None) -> Likeness | None:
    """Keep what a host measured as it made the picture: it cannot be measured without a GPU."""
    likeness = known.likeness if known else None
    return likeness if likeness is not None and likeness.scale == "facefusion" else None


def with_reason_of_host(measure: PictureMeasure, known: PictureMeasure | None) -> PictureMeasure:
    """Add why the host that made a picture, the first to measure it, has not measured likeness."""
    if known is None or known.version > 0 or measure.likeness is not None:
        return measure
    reasons = (*known.not_measured, *measure.not_measured)
    return measure.model_copy(update={"not_measured": reasons})


def is_current(known: PictureMeasure, meters: Meters) -> bool:
    """Check whether nothing more could be measured of a picture now."""
    return known.version >= MEASURE_VERSION and set(known.meters) >= set(meters.names)
