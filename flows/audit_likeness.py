"""The flow `audit-likeness`: which pictures drifted from their character, and how old they look.

It needs the database and the image store, and neither a host nor a GPU:

    from flows.audit_likeness import audit_likeness
    report = audit_likeness(character_id="character-id")
    report = audit_likeness(project_id="project-id")
    report = audit_likeness()
"""

from prefect import flow

from flows.parameters import OptionalCharacterId, unless_typed
from storycanvas.faces.likeness.audit import LikenessReport, likeness_report
from tasks.artifacts import finished, publish_report, subject_key
from tasks.characters.naming import id_of_character
from tasks.database.connection import opened_database
from tasks.faces.reporting.report import artifact_key
from tasks.likeness.audit import forget_others, list_audited, measure_gallery
from tasks.likeness.chart import ALL, NAME, audit_artifacts
from tasks.likeness.meters import installed_gallery_meters
from tasks.log_lines import failing_in_a_sentence
from tasks.progress import shown_progress


@flow(
    name=NAME,
    flow_run_name=unless_typed(f"{NAME} · {{character_id}} · {{project_id}}"),
    validate_parameters=False,
)
@failing_in_a_sentence
def audit_likeness(
    character_id: OptionalCharacterId = None,
    project_id: OptionalCharacterId = None,
    measure_anew: bool = False,
) -> LikenessReport:
    """Measure likeness and age of the pictures in galleries, and name those that drifted.

    What was measured is kept, so a second run measures only what is new, and a run that was stopped
    goes on where it was. It needs neither a host nor a GPU.

    Args:
        character_id: Id or name of the character whose gallery is measured; empty for a whole
            project.
        project_id: Id of the project whose characters are measured; empty for all projects.
        measure_anew: Measures again what was measured before.

    Returns:
        The counts of each character, and the outliers, the worst first.
    """
    meters = installed_gallery_meters()
    audits, forgotten = [], 0
    with opened_database() as database:
        character_id = character_id and id_of_character(database, character_id)
        subject = character_id or project_id
        key = artifact_key(NAME, subject_key(subject or ALL))
        ids = list_audited(database, character_id, project_id)
        with shown_progress(f"{key}-progress", "pictures") as progress:
            for each in ids:
                found = measure_gallery(database, meters, each, progress, anew=measure_anew)
                if found is not None:
                    audits.append(found[0])
                    forgotten += found[1]
        if subject is None:
            forgotten += forget_others(database, ids)
    report = likeness_report(subject or "all characters", audits, meters.missing, forgotten)
    publish_report(
        report.summary(),
        *audit_artifacts(report, audits, key),
        lines=report.lines(),
        warnings=report.not_measured,
    )
    return finished(report)
