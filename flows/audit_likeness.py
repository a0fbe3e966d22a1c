"""The flow `audit-likeness`: which pictures drifted from their character, and how old they look.

It needs the database and the image store, and neither a host nor a GPU:

    from flows.audit_likeness import audit_likeness
    report = audit_likeness(character_id="character-id")
    report = audit_likeness(project_id="project-id")
    report = audit_likeness()
"""

from prefect import flow
from prefect.runtime import flow_run

from flows.parameters import OptionalCharacterId, unless_typed
from storycanvas.faces.likeness.audit import LikenessReport, likeness_report
from tasks.artifacts import finished, publish_report
from tasks.database.connection import opened_database
from tasks.faces.reporting.report import artifact_key
from tasks.likeness.audit import forget_others, list_audited, measure_gallery
from tasks.likeness.chart import NAME, audit_artifacts
from tasks.likeness.meters import installed_gallery_meters
from tasks.log_lines import failing_in_a_sentence
from tasks.progress import shown_progress


def _subject(character_id: str | None, project_id: str | None) -> str:
    return (character_id or project_id or "all characters").strip()


def _run_name() -> str:
    given = flow_run.parameters
    return f"{NAME} of {_subject(given.get('character_id'), given.get('project_id'))}"


@flow(name=NAME, flow_run_name=unless_typed(_run_name), validate_parameters=False)
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
        character_id: Id of the character whose gallery is measured; empty for a whole project.
        project_id: Id of the project whose characters are measured; empty for all projects.
        measure_anew: Measures again what was measured before.

    Returns:
        The counts of each character, and the outliers, the worst first.
    """
    subject = _subject(character_id, project_id)
    meters = installed_gallery_meters()
    audits, forgotten = [], 0
    with opened_database() as database:
        ids = list_audited(database, character_id, project_id)
        with shown_progress(artifact_key(NAME, subject, "progress"), "pictures") as progress:
            for each in ids:
                found = measure_gallery(database, meters, each, progress, anew=measure_anew)
                if found is not None:
                    audits.append(found[0])
                    forgotten += found[1]
        if not (character_id or project_id):
            forgotten += forget_others(database, ids)
    report = likeness_report(subject, audits, meters.missing, forgotten)
    publish_report(
        report.summary(),
        *audit_artifacts(report, audits, subject),
        lines=report.lines(),
        warnings=report.not_measured,
    )
    return finished(report)
