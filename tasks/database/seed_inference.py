"""Giving every active model its presets, and showing what was found."""

from prefect import task
from prefect.artifacts import create_table_artifact
from prefect.cache_policies import NO_CACHE
from prefect.logging import get_run_logger
from pymongo.database import Database

from blocks.environment import Environment
from db.connection import Document
from db.inference.report import ModelWithoutPresets, PresetCount, SeedReport
from db.inference.seed import seed_inference
from tasks.database.connection import opened_database
from tasks.retries import is_retryable, with_retries

ARTIFACT_KEY = "seed-inference-configurations"

Row = dict[str, str | int]


@task(cache_policy=NO_CACHE, task_run_name="seed presets", retry_condition_fn=is_retryable)
def seed_presets(database: Database[Document], *, dry_run: bool) -> SeedReport:
    """Add the presets that active models do not have, or only look.

    Raises:
        db.errors.DatabaseError: The server cannot be reached, or refuses the user or a preset.
    """
    return seed_inference(database, dry_run=dry_run)


@task(cache_policy=NO_CACHE, task_run_name="show what was found")
def show_seeding(report: SeedReport) -> None:
    """Show a report in the run's log and as a table in the Prefect UI."""
    log = get_run_logger()
    for line in report.lines():
        log.info(line)
    for model in report.unknown:
        log.warning("Unknown base model, no presets: %s.", model)
    if more := report.unknown_count - len(report.unknown):
        log.warning("Unknown base model, no presets: %d more.", more)
    log.info(report.summary())
    rows = [_preset_row(one, report.created_words) for one in report.presets]
    create_table_artifact(
        rows + [_unknown_row(model, report.created_words) for model in report.unknown],
        key=ARTIFACT_KEY,
        description=report.summary(),
    )


def give_models_presets(*, dry_run: bool) -> SeedReport:
    """Seed the configured database, show what was found and return it.

    Args:
        dry_run: Whether to look only.

    Raises:
        db.errors.DatabaseError: The server cannot be reached, or refuses the user or a preset.
    """
    environment = Environment()
    with opened_database(environment) as database:
        report = with_retries(seed_presets, environment)(database, dry_run=dry_run)
    show_seeding(report)
    return report


def _preset_row(count: PresetCount, created_words: str) -> Row:
    return {
        "base model": count.base_model,
        "preset": count.preset_type,
        created_words: count.created,
        "existing": count.existing,
        "note": "",
    }


def _unknown_row(model: ModelWithoutPresets, created_words: str) -> Row:
    return {
        "base model": "unknown",
        "preset": "none",
        created_words: 0,
        "existing": 0,
        "note": str(model),
    }
