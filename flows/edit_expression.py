"""The flow `edit-expression`: a character with another expression, or a strip of several."""

from prefect import flow

from flows.parameters import (
    WORKERS,
    OptionalCharacterId,
    OptionalLongestSide,
    OptionalPresetName,
    OptionalReference,
    OptionalSettings,
    Priority,
    ReviewHours,
    Slider,
    unless_typed,
)
from storycanvas.faces.recipes.expression import EDITOR_FIELDS, Sweep, expression_pipeline
from storycanvas.faces.reports.steps import FaceRunReport
from tasks.faces.run import RunOptions, run_pipeline
from tasks.log_lines import failing_in_a_sentence


@flow(
    name="edit-expression",
    flow_run_name=unless_typed("edit-expression · {character_id} · {picture}"),
    task_runner=WORKERS,
    validate_parameters=False,
)
@failing_in_a_sentence
def edit_expression(
    character_id: OptionalCharacterId = None,
    picture: OptionalReference = None,
    face_editor_eyebrow_direction: Slider = None,
    face_editor_eye_gaze_horizontal: Slider = None,
    face_editor_eye_gaze_vertical: Slider = None,
    face_editor_eye_open_ratio: Slider = None,
    face_editor_lip_open_ratio: Slider = None,
    face_editor_mouth_grim: Slider = None,
    face_editor_mouth_pout: Slider = None,
    face_editor_mouth_purse: Slider = None,
    face_editor_mouth_smile: Slider = None,
    face_editor_mouth_position_horizontal: Slider = None,
    face_editor_mouth_position_vertical: Slider = None,
    face_editor_head_pitch: Slider = None,
    face_editor_head_yaw: Slider = None,
    face_editor_head_roll: Slider = None,
    sweep: Sweep | None = None,
    preset: OptionalPresetName = None,
    settings: OptionalSettings = None,
    longest_side: OptionalLongestSide = None,
    force: bool = False,
    priority: Priority = 0,
    dry_run: bool = False,
    review: bool = False,
    review_hours: ReviewHours = 48,
) -> FaceRunReport:
    """Show a character with another expression.

    Args:
        character_id: Id or name of the character whose gallery receives the pictures.
        picture: Address or path of the picture; left empty, it is the first reference image.
        face_editor_eyebrow_direction: How far the eyebrows are lowered or raised, -100 to 100.
        face_editor_eye_gaze_horizontal: Where the eyes look, left or right, -100 to 100.
        face_editor_eye_gaze_vertical: Where the eyes look, down or up, -100 to 100.
        face_editor_eye_open_ratio: How far the eyes are closed or open, -100 to 100.
        face_editor_lip_open_ratio: How far the lips are closed or open, -100 to 100.
        face_editor_mouth_grim: How grim the mouth is, -100 to 100.
        face_editor_mouth_pout: How far the mouth pouts, -100 to 100.
        face_editor_mouth_purse: How far the mouth is pursed, -100 to 100.
        face_editor_mouth_smile: How much the mouth smiles, -100 to 100.
        face_editor_mouth_position_horizontal: Where the mouth is, left or right, -100 to 100.
        face_editor_mouth_position_vertical: Where the mouth is, down or up, -100 to 100.
        face_editor_head_pitch: How far the head nods, -100 to 100.
        face_editor_head_yaw: How far the head turns, -100 to 100.
        face_editor_head_roll: How far the head tilts, -100 to 100.
        sweep: One of these fields with 2 to 21 values, for a strip of pictures.
        preset: Name or id of a saved preset; left empty, none is used.
        settings: Values for all steps that have them.
        longest_side: Pixels to which a larger picture is reduced first, 256 to 8192.
        force: Makes pictures again that exist already.
        priority: Larger goes first where runs wait for a GPU host, -100 to 100.
        dry_run: Only shows the plan, what of it is done already, and what the rest would take.
        review: Suspends the run until a person has said on its page (Resume) what the gallery gets.
        review_hours: Hours after which an unanswered run fails and the gallery gets nothing.
    """
    given = locals()
    values = {name: given[name] for name in EDITOR_FIELDS}
    options = RunOptions(
        character_id, preset, settings, longest_side, force, priority, dry_run, review, review_hours
    )
    return run_pipeline(options, expression_pipeline(picture=picture, sweep=sweep, **values))
