"""The flow `list-presets`: the saved presets, with their values and how often runs use them.

It needs the database and nothing else:

    from flows.list_presets import list_presets
    found = list_presets("enhance", text="soft")
"""

from prefect import flow

from db.preset_reports import PresetQuery, PresetsFound
from flows.parameters import OptionalSearchText, OptionalUserId, unless_typed
from storycanvas.faces.recipes.presets import PresetKind
from tasks.artifacts import finished, publish_report
from tasks.database.connection import opened_database
from tasks.database.presets import preset_lines, preset_table, read_presets
from tasks.log_lines import failing_in_a_sentence


@flow(name="list-presets", flow_run_name=unless_typed("list-presets"), validate_parameters=False)
@failing_in_a_sentence
def list_presets(
    operation_type: PresetKind | None = None,
    user_id: OptionalUserId = None,
    text: OptionalSearchText = None,
) -> PresetsFound:
    """List the saved presets, the most used first.

    Args:
        operation_type: What the presets are for; without a choice all are listed.
        user_id: Id of a user whose private presets are listed, too; left empty, none are.
        text: Part of the name or the description, in any case; left empty, any preset is listed.

    Returns:
        The presets, 1000 at most, and how many there are.
    """
    wanted = PresetQuery(operation_type=operation_type, user_id=user_id, text=text)
    with opened_database() as database:
        found = read_presets(database, wanted)
    publish_report(found.summary(), preset_table(found), lines=preset_lines(found))
    return finished(found)
