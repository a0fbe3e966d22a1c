"""Choosing the face of each picture that is most like a person, before anything is planned."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from prefect.logging import get_run_logger

from db.schema.documents.characters import Character
from storycanvas.faces.contract import DetectedFace
from storycanvas.faces.errors import BadField, MeasuringFailed, NotDoneYet
from storycanvas.faces.likeness.choosing import ChosenFace, most_alike
from storycanvas.faces.likeness.chosen_plan import Source, source_of
from storycanvas.faces.likeness.reading import distances_to_person
from storycanvas.faces.measures.likeness import likeness_meter
from storycanvas.faces.measures.measuring import face_meter
from storycanvas.faces.operations import FaceBox
from storycanvas.faces.plan import Plan, PlanPicture, Step
from storycanvas.faces.preferences import Preferences
from storycanvas.faces.recipes.finding import detect_like
from storycanvas.faces.reports.steps import StepReport
from storycanvas.faces.settings import FACE_OF_CHARACTER, FaceSettings
from storycanvas.faces.sources.trust import NamedBy
from tasks.faces.context import RunContext
from tasks.faces.forecast.lookup import run_or_look_up
from tasks.faces.inputs import first_reference_image
from tasks.faces.inspection import keep_records
from tasks.faces.plan import PlanResult, end_interrupted
from tasks.faces.step import RunRequest, StepOutput, picture_of


@dataclass(frozen=True)
class FacesWanted:
    """Pictures in which a face is to be chosen.

    Attributes:
        request: For whom.
        plan: Of `recipes.finding.detect_like`.
        same_below: Bound on the scale of hosts for a face to be like the person at all; None takes
            the usual one.
    """

    request: RunRequest
    plan: Plan
    same_below: float | None = None


@dataclass(frozen=True)
class FacesChosen:
    """The faces that were chosen.

    Attributes:
        boxes: By picture.
        refused: Why there is none, by picture.
        notes: Which were chosen, in sentences.
        looks: In a dry run, the steps that look for the faces where they are not done yet; then
            nothing else is known.
    """

    boxes: Mapping[Source, FaceBox] = field(default_factory=dict)
    refused: Mapping[Source, Exception] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    looks: tuple[StepReport, ...] = ()

    def require_all(self) -> "FacesChosen":
        """Raise the first error where there is one."""
        for error in self.refused.values():
            raise error
        return self


NOT_CHOSEN = FacesChosen()
"""Where the settings choose faces by place."""


def faces_wanted(
    request: RunRequest,
    settings: FaceSettings,
    preferences: Preferences,
    person: str,
    pictures: Sequence[PlanPicture],
) -> FacesWanted:
    """Plan the search for a person, given by a picture, in pictures of one plan."""
    named_by = pictures[0].named_by if pictures else NamedBy.PERSON
    shown = PlanPicture(name="person", reference=person, named_by=named_by)
    plan = detect_like(shown, pictures, preferences)
    return FacesWanted(request, plan, settings.reference_face_distance)


def person_of(settings: FaceSettings, character: Character | None) -> str | None:
    """Find the picture of the person whose face is chosen; None where it is chosen by place.

    Raises:
        BadField: It is the character's, and there is none.
        CharacterWithoutPicture: The character has no reference image.
    """
    if settings.face_of != FACE_OF_CHARACTER:
        return settings.face_of
    if character is None:
        raise BadField(
            "settings.face_of is the character, and the run has none; name a character, or a "
            "picture in face_of."
        )
    return first_reference_image(character)


def choose_faces(context: RunContext, wanted: Sequence[FacesWanted]) -> list[FacesChosen]:
    """Have hosts find all faces and how unlike each is to a person, and choose one a picture.

    Where a host's program is too old to tell distances, the optional recogniser of the run measures
    them.

    Raises:
        FaceError: The picture of the person cannot be had.
    """
    results = _look(context, wanted, force=False)
    again = [at for at, result in enumerate(results) if _was_made_without_distances(result)]
    if again:  # in the ledger by an older host; the present one may tell distances
        anew = _look(context, [wanted[at] for at in again], force=True)
        for at, result in zip(again, anew, strict=True):
            results[at] = result
    return [_chosen(context, each, result) for each, result in zip(wanted, results, strict=True)]


def _look(context: RunContext, wanted: Sequence[FacesWanted], *, force: bool) -> list[PlanResult]:
    asked = [
        (replace(each.request, record=False, force=force or each.request.force), each.plan)
        for each in wanted
    ]
    results = run_or_look_up(context, asked)
    end_interrupted(*results)
    for result in [] if context.dry_run else results:
        keep_records(context, [result.outputs[s.name].record for s in _done(result)])
    return results


def _done(result: PlanResult) -> list[Step]:
    return [step for step in result.plan.steps if step.name in result.outputs]


def _faces(output: StepOutput) -> list[DetectedFace]:
    return [DetectedFace(**face) for face in (output.record and output.record.faces) or ()]


def _was_made_without_distances(result: PlanResult) -> bool:
    outputs = [result.outputs[step.name] for step in _done(result)]
    return any(
        output.outcome == "reused" and face.reference_distance is None
        for output in outputs
        for face in _faces(output)
    )


def _chosen(context: RunContext, wanted: FacesWanted, result: PlanResult) -> FacesChosen:
    if any(isinstance(error, NotDoneYet) for error in result.errors.values()):
        return FacesChosen(looks=result.steps)
    pictures = {picture.name: picture for picture in wanted.plan.pictures}
    boxes: dict[Source, FaceBox] = {}
    refused: dict[Source, Exception] = {}
    notes: list[str] = []
    for step in wanted.plan.steps:
        name = step.inputs[-1]
        try:
            face = _face_of(context, wanted, result, step)
        except Exception as error:  # noqa: BLE001 - of this picture alone; raised by who needs it
            refused[source_of(pictures[name])] = error
            continue
        boxes[source_of(pictures[name])] = face.box
        notes.append(face.sentence(name))
        get_run_logger().info(notes[-1])
    return FacesChosen(boxes, refused, tuple(notes))


def _face_of(
    context: RunContext, wanted: FacesWanted, result: PlanResult, step: Step
) -> ChosenFace:
    for error in (
        *(result.missing.get(name) for name in step.inputs),
        result.errors.get(step.name),
    ):
        if error is not None:
            raise error
    faces = _faces(result.outputs[step.name])
    told = [face.reference_distance for face in faces]
    if None not in told:
        return most_alike(step.inputs[-1], faces, told, "facefusion", wanted.same_below)
    return most_alike(step.inputs[-1], faces, _measured(context, result, step, faces), "dlib")


def _measured(
    context: RunContext, result: PlanResult, step: Step, faces: Sequence[DetectedFace]
) -> list[float | None]:
    try:
        meter = likeness_meter()
    except MeasuringFailed as error:
        raise without_recogniser(error) from error
    person, picture = (picture_of(result.outputs[name], context) for name in step.inputs)
    return distances_to_person(person, picture, faces, face_meter(), meter)


def without_recogniser(missing: MeasuringFailed) -> MeasuringFailed:
    """Make the error of a choice for which neither the host nor the run has a recogniser."""
    return MeasuringFailed(
        "face_of cannot choose a face, since the host's program is too old to tell distances and "
        f"the run has no recogniser: {str(missing).rstrip('.')}; or update the host."
    )
