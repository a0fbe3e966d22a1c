"""The flow `couple-face-swap`: two persons' faces in one picture."""

from prefect import flow

from flows.parameters import (
    WORKERS,
    Enhancer,
    FaceMappings,
    Husband,
    OptionalPresetName,
    OptionalReference,
    OptionalSettings,
    OptionalText,
    Priority,
    unless_typed,
)
from storycanvas.couple.swap import couple_pipeline, refuse_face_choice
from storycanvas.couple.written_faces import Person
from storycanvas.faces.recipes.steps import Choice
from storycanvas.faces.reports.steps import FaceRunReport
from tasks.couple.swap import CoupleRequest, couple_swap
from tasks.faces.context import open_run_context
from tasks.faces.run import RunOptions, prepare, run_prepared
from tasks.log_lines import failing_in_a_sentence


@flow(
    name="couple-face-swap",
    flow_run_name=unless_typed("couple-face-swap · {task_id} · {template_id} · {template_image}"),
    task_runner=WORKERS,
    validate_parameters=False,
)
@failing_in_a_sentence
def couple_face_swap(
    template_id: OptionalText = None,
    template_image: OptionalReference = None,
    husband_picture: OptionalReference = None,
    wife_picture: OptionalReference = None,
    face_mappings: FaceMappings = None,
    husband: Husband = None,
    enhance_result: Enhancer = Choice.NONE,
    task_id: OptionalText = None,
    preset: OptionalPresetName = None,
    settings: OptionalSettings = None,
    force: bool = False,
    priority: Priority = 0,
    dry_run: bool = False,
) -> FaceRunReport:
    """Put the faces of two persons into one picture.

    Args:
        template_id: Id of the template that receives the faces, which has to be active.
        template_image: Address or path of the picture that receives them, in place of a template.
        husband_picture: Address, path or id of the picture with the husband's face.
        wife_picture: Address, path or id of the picture with the wife's face.
        face_mappings: One line a swap, as in - {source_photo: wife, target_face_index: 1}; left
            empty, the template and the next field decide.
        husband: Where the husband is: left, right, or the place of his face from the left, the
            first being 0; left empty, known genders decide, else it is left.
        enhance_result: Model that restores all faces of the result; none leaves them as they are.
        task_id: Id of a task of the app, whose template, pictures and mapping fill what is left
            empty here; the task itself stays as it is.
        preset: Name or id of a saved preset; left empty, none is used.
        settings: Values for all steps that have them; those that choose a face are refused.
        force: Makes pictures again that exist already.
        priority: Larger goes first where runs wait for a GPU host, -100 to 100.
        dry_run: Only shows the plan, what of it is done already, and what the rest would take.
    """
    refuse_face_choice(settings)
    asked = CoupleRequest(
        template_id=template_id,
        template_image=template_image,
        photos={Person.HUSBAND: husband_picture, Person.WIFE: wife_picture},
        face_mappings=face_mappings,
        husband=husband,
        enhance=enhance_result,
        task_id=task_id,
    )
    options = RunOptions(None, preset, settings, None, force, priority, dry_run)
    with open_run_context(dry_run=dry_run) as context:
        pipeline = couple_pipeline(couple_swap(context, asked))
        return run_prepared(context, prepare(context, options, pipeline))
