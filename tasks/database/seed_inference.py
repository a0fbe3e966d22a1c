"""Giving every active model its inference presets, and the app its profiles."""

from pymongo.database import Database

from db.connection import Document
from db.inference.report import ModelWithoutPresets, PresetCount, ProfileSeeded, SeedReport
from db.inference.seed import seed_inference
from tasks.artifacts import ReportArtifact
from tasks.retries import database_task

ARTIFACT_KEY = "seed-inference-configurations"

Row = dict[str, str | int]


@database_task("seed presets")
def seed_presets(database: Database[Document], *, dry_run: bool) -> SeedReport:
    """Add the presets and profiles that are missing, or only count them."""
    return seed_inference(database, dry_run=dry_run)


def unknown_warnings(report: SeedReport) -> list[str]:
    """List the models of unknown base model."""
    warnings = [f"Unknown base model, no presets: {model}." for model in report.unknown]
    if more := report.unknown_count - len(report.unknown):
        warnings.append(f"Unknown base model, no presets: {more} more.")
    return warnings


def seeding_table(report: SeedReport) -> ReportArtifact:
    """Write a report as a table: the unknown models, the counts of each preset, the profiles."""
    presets = [_preset_row(count, report.created_words) for count in report.presets]
    unknown = [_unknown_row(model, report.created_words) for model in report.unknown]
    profiles = [_profile_row(profile, report.created_words) for profile in report.profiles]
    return ReportArtifact(ARTIFACT_KEY, unknown + presets + profiles)


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


def _profile_row(profile: ProfileSeeded, created_words: str) -> Row:
    return {
        "base model": "as the profile links",
        "preset": profile.profile_id,
        "note": "profile",
        created_words: int(profile.created),
        "existing": int(not profile.created),
    }
