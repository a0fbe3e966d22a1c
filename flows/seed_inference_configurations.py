"""The flow `seed-inference-configurations`: a quality and a speed preset for every active model.

Started by the operator after `init-db` and whenever models were added. It needs the database and
nothing else:

    from flows.seed_inference_configurations import seed_inference_configurations
    report = seed_inference_configurations(dry_run=True)
"""

from prefect import flow

from db.inference.report import SeedReport
from flows.parameters import dry_run_name, unless_typed
from tasks.artifacts import finished, publish_report
from tasks.database.connection import opened_database
from tasks.database.seed_inference import seed_presets, seeding_table, unknown_warnings
from tasks.log_lines import failing_in_a_sentence


@flow(
    name="seed-inference-configurations",
    flow_run_name=unless_typed(dry_run_name),
    validate_parameters=False,
)
@failing_in_a_sentence
def seed_inference_configurations(dry_run: bool = False) -> SeedReport:
    """Give every active model the presets of its base model that it does not have.

    What a model has stays as it is; a model of unknown base model gets nothing and is reported. The
    profiles that the app offers by base model are added where they are missing.

    Args:
        dry_run: While this is on, the run only reports what it would create; switch it off to
            create the presets and profiles.

    Returns:
        How many presets and profiles were created and existed, and the models of unknown base
        model.
    """
    with opened_database() as database:
        report = seed_presets(database, dry_run=dry_run)
    publish_report(
        report.summary(),
        seeding_table(report),
        lines=report.lines(),
        warnings=unknown_warnings(report),
        dry_run=dry_run,
    )
    return finished(report, dry_run=dry_run)
