"""Saving presets and listing them."""

from datetime import UTC, datetime
from uuid import NAMESPACE_URL, uuid5

from prefect.runtime import flow_run
from pymongo.database import Database

from db.connection import Document
from db.preset_reports import ListedPreset, PresetQuery, PresetsFound, PresetValues, SavedPreset
from db.presets import PresetRepository
from tasks.artifacts import ReportArtifact
from tasks.retries import database_task

Row = dict[str, str | int | float | bool]

_SAVED = uuid5(NAMESPACE_URL, "storycanvas:saved-presets")
MAX_LINES = 100
"""Presets of a list that stand in the run's log; the table has all."""


@database_task("save preset {values.name}")
def store_preset(
    database: Database[Document], values: PresetValues, *, replace: bool
) -> SavedPreset:
    """Save a preset; its id is that of the run in another form, so a retry finds what it saved."""
    new_id = str(uuid5(_SAVED, flow_run.get_id() or datetime.now(UTC).isoformat()))
    return PresetRepository(database).save(values, new_id, datetime.now(UTC), replace=replace)


@database_task("list presets")
def read_presets(database: Database[Document], wanted: PresetQuery) -> PresetsFound:
    """Read the presets that are asked for and may be shown."""
    return PresetRepository(database).listed(wanted)


def saved_table(saved: SavedPreset) -> ReportArtifact:
    """Write what was saved as a table: each value, and the one that it replaced."""
    rows = [
        {"field": "id", "before": saved.id if saved.before is not None else "", "now": saved.id}
    ]
    for field, old, new in saved.values_by_field():
        rows.append({"field": field, "before": old, "now": new})
    return ReportArtifact("save-preset", rows)


def preset_table(found: PresetsFound) -> ReportArtifact:
    """Write a list as a table; where nothing was found, what there is by type."""
    if found.presets:
        return ReportArtifact("list-presets", [_row(preset) for preset in found.presets])
    types = [{"type": kind, "presets": count} for kind, count in found.types.items()]
    return ReportArtifact("list-presets", types or found.summary())


def preset_lines(found: PresetsFound) -> list[str]:
    """Describe the first presets, a line each."""
    lines = [preset.line() for preset in found.presets[:MAX_LINES]]
    if len(found.presets) > MAX_LINES:
        lines.append(f"The table has {len(found.presets) - MAX_LINES} more.")
    return lines


def _row(preset: ListedPreset) -> Row:
    return {
        "name": preset.name,
        "type": preset.operation_type,
        "values": preset.values,
        "description": preset.description,
        "public": preset.public,
        "use_count": preset.use_count,
        "last used": preset.last_used,
        "id": preset.id,
    }
