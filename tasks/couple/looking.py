"""Looking at pictures before they are added: all are read, and searched for faces, in one run."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from storycanvas.couple.adding import AddedPicture, stem_of
from storycanvas.faces.contract import DetectedFace
from storycanvas.faces.errors import BadField, FaceError, NoFace, NotDoneYet
from storycanvas.faces.pictures.reading import Picture
from storycanvas.faces.recipes.finding import detect_faces
from storycanvas.faces.recipes.steps import numbered
from storycanvas.faces.sources.trust import shown
from tasks.faces.batch import list_pictures
from tasks.faces.context import RunContext
from tasks.faces.fetched import FetchedPicture
from tasks.faces.forecast.dry_run import outlook
from tasks.faces.forecast.lookup import run_or_look_up
from tasks.faces.inputs import engine_status
from tasks.faces.inspection import keep_records
from tasks.faces.plan import PlanResult, end_interrupted, no_progress
from tasks.faces.reporting.report import progress_artifact
from tasks.faces.run import RunOptions, run_request


@dataclass(frozen=True)
class SeenPicture:
    """A picture, its faces, or why it cannot be had.

    Attributes:
        reference: What it was named by.
        fetched: None where it cannot be read, or could not be looked at.
        faces: All that were found in it, none is no error; None in a dry run where no host has
            looked yet.
        error: Why it is not to be added.
    """

    reference: str
    fetched: FetchedPicture | None = None
    faces: tuple[DetectedFace, ...] | None = ()
    error: FaceError | None = None

    @property
    def stem(self) -> str:
        """The name of its file without the ending."""
        return stem_of(self.reference)

    def content(self) -> Picture:
        """Read the picture, or raise why it cannot be had."""
        if self.error is not None or self.fetched is None:
            raise self.error or BadField(f"{shown(self.reference)} was not looked at.")
        return self.fetched.content()

    def failed(self, error: FaceError) -> AddedPicture:
        """Report that it is not added."""
        return AddedPicture(
            picture=shown(self.reference), outcome="failed", error=str(error), code=error.code
        )


@dataclass(frozen=True)
class SeenPictures:
    """The pictures of a run.

    Attributes:
        each: All, in order.
        expected: In a dry run, a sentence on what looking at the others would take.
    """

    each: list[SeenPicture]
    expected: str = ""


def given_pictures(
    context: RunContext, pictures: Sequence[str], folder: str | None
) -> Sequence[str]:
    """List the pictures of a run.

    Raises:
        BadField: None is named.
        PictureNotFound: The folder is not there, or holds none.
    """
    given = [*pictures, *(list_pictures(context, folder) if folder else [])]
    if not given:
        raise BadField("The run has no picture; name pictures, or a folder that holds some.")
    return given


def look_at_pictures(context: RunContext, references: Sequence[str], priority: int) -> SeenPictures:
    """Find the faces of pictures, side by side; one that fails stops no other.

    A dry run gives no host work: it takes what is in the ledger.
    """
    named = numbered("picture", references)
    request = run_request(context, RunOptions(priority=priority), engine_status(context))
    progress = no_progress if context.dry_run else progress_artifact(context, request.subject)
    # Not recorded: a recorded run would keep a copy of every picture as a source.
    looks = replace(request, record=False), detect_faces(named, required=False)
    (result,) = run_or_look_up(context, [looks], progress)
    if not context.dry_run:
        keep_records(context, [output.record for output in result.outputs.values()])
    end_interrupted(result)
    seen = [_seen(result, name, reference) for name, reference in named.items()]
    return SeenPictures(seen, outlook(context, request, result.steps) if context.dry_run else "")


def _seen(result: PlanResult, name: str, reference: str) -> SeenPicture:
    look = f"detect {name}"
    error = result.missing.get(name) or result.errors.get(look)
    fetched = result.outputs.get(name)
    if isinstance(error, NotDoneYet):
        return SeenPicture(reference, fetched.picture if fetched else None, None)
    if error is not None and not isinstance(error, NoFace):
        if not isinstance(error, FaceError):
            raise error
        return SeenPicture(reference, error=error)
    record = result.outputs[look].record if look in result.outputs else None
    found = tuple(DetectedFace(**face) for face in (record and record.faces) or ())
    return SeenPicture(reference, fetched.picture if fetched else None, found)
