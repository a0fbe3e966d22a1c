"""The flow `save-preset`: values of an operation, or a chain, under a name for later runs.

It needs the database and nothing else:

    from flows.save_preset import save_preset
    saved = save_preset("soft", "enhance", {"face_enhancer_blend": 0.7})
"""

from prefect import flow

from db.preset_reports import PresetValues, SavedPreset
from flows.parameters import (
    OptionalDescription,
    OptionalUserId,
    PresetName,
    PresetParameters,
    unless_typed,
)
from storycanvas.faces.recipes.presets import PresetKind, preset_parameters
from tasks.artifacts import finished, publish_report
from tasks.database.connection import opened_database
from tasks.database.presets import saved_table, store_preset
from tasks.log_lines import failing_in_a_sentence


@flow(
    name="save-preset",
    flow_run_name=unless_typed("save preset {name}"),
    validate_parameters=False,
)
@failing_in_a_sentence
def save_preset(
    name: PresetName,
    operation_type: PresetKind,
    parameters: PresetParameters,
    description: OptionalDescription = None,
    is_public: bool = False,
    user_id: OptionalUserId = None,
    replace: bool = False,
) -> SavedPreset:
    """Save values of an operation, or a chain, under a name for later runs.

    Args:
        name: What runs call it, 1 to 200 characters; no other preset has the name, in any case.
        operation_type: The operation that the values are for, or chain.
        parameters: One line a value, as in face_enhancer_blend: 0.7, or the parts of a chain.
        description: What it is good for; left empty, it has no description.
        is_public: Lets every user find it by its name.
        user_id: Id of the user that it belongs to; left empty, it belongs to all.
        replace: Gives the new values to the preset that has this name already.

    Returns:
        The id, the name, and the old and new values.
    """
    checked = preset_parameters(operation_type, name, parameters)
    values = PresetValues(
        name=name,
        operation_type=operation_type,
        parameters=checked,
        description=description,
        is_public=is_public,
        user_id=user_id,
    )
    with opened_database() as database:
        saved = store_preset(database, values, replace=replace)
    publish_report(saved.summary(), saved_table(saved))
    return finished(saved)
