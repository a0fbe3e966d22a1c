"""Giving every active model its inference presets."""

from pymongo.database import Database

from db.connection import Document
from db.inference.report import ModelWithoutPresets, PresetCount, SeedReport
from db.inference.seed import seed_inference
from tasks.artifacts import ReportArtifact
from tasks.retries import database_task

ARTIFACT_KEY = "seed-inference-configurations"

Row = dict[str, str | int]


@database_task("seed presets")
def seed_presets(database: Database[Document], *, dry_run: bool) -> SeedReport:
    """Add the presets that active models do not have, or only count them."""
    return seed_inference(database, dry_run=dry_run)


def unknown_warnings(report: SeedReport) -> list[str]:
    """List the models of unknown base model."""
    warnings = [f"Unknown base model, no presets: {model}." for model in report.unknown]
    if more := report.unknown_count - len(report.unknown):
        warnings.append(f"Unknown base model, no presets: {more} more.")
    return warnings


def seeding_table(report: SeedReport) -> ReportArtifact:
    """Write a report as a table: the unknown models, then the counts of each preset."""
    presets = [_preset_row(count, report.created_words) for count in report.presets]
    unknown = [_unknown_row(model, report.created_words) for model in report.unknown]
    return ReportArtifact(ARTIFACT_KEY, unknown + presets)


def _preset_row(count: PresetCount, created_words: str) -> Row:
    return {
        "base model": count.base_model,
        "preset": count.preset_type,
        "note": "",
        created_words: count.created,
        "existing": count.existing,
    }


def _unknown_row(model: ModelWithoutPresets, created_words: str) -> Row:
    return {
        "base model": "unknown",
        "preset": "none",
        "note": str(model),
        created_words: 0,
        "existing": 0,
    }
