"""The flow `learn-preferences`: what a character's kept pictures say about its settings.

It needs the database and nothing else:

    from flows.learn_preferences import learn_preferences
    report = learn_preferences("character-id")
    report = learn_preferences("character-id", apply=True)
"""

from prefect import flow

from flows.parameters import CharacterId, unless_typed
from tasks.artifacts import finished, publish_report
from tasks.characters.naming import id_of_character
from tasks.database.connection import opened_database
from tasks.database.learn import (
    PreferencesReport,
    judge_history,
    preferences_table,
    read_history,
    write_proposed,
)
from tasks.log_lines import failing_in_a_sentence

_NAME = "learn-preferences"


@flow(
    name=_NAME,
    flow_run_name=unless_typed(f"{_NAME} · {{character_id}} · {{apply}}"),
    validate_parameters=False,
)
@failing_in_a_sentence
def learn_preferences(character_id: CharacterId, apply: bool = False) -> PreferencesReport:
    """Propose preferred settings for a character, from the pictures that a person has kept.

    It looks at the newest 500 operations that put a picture into the character's gallery. For each
    setting the value with most pictures kept minus removed is proposed, if it was kept at least
    three times and at least twice as often as any other. A picture of an age that a later run
    replaced counts as neither.

    Args:
        character_id: Id or name of the character whose gallery is looked at.
        apply: While this is off, the run only proposes; on, it writes the proposed settings whose
            old values are still there.

    Returns:
        The counts of each setting, and what was proposed or written.
    """
    with opened_database() as database:
        character_id = id_of_character(database, character_id)
        history = read_history(database, character_id)
        report = judge_history(character_id, history)
        if apply:
            report = write_proposed(database, history, report)
    publish_report(
        report.summary(),
        preferences_table(report),
        lines=report.lines(),
        warnings=report.warnings(),
    )
    return finished(report)
