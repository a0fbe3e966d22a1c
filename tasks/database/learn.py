"""Reading what became of a character's pictures, and writing the settings that they speak for."""

from datetime import UTC, datetime

from pydantic import BaseModel, ConfigDict
from pymongo.database import Database

from db.connection import Document
from db.gallery_outcomes import Outcome
from db.preferred_settings import (
    MAX_ENTRIES,
    SETTING_NAMES,
    GalleryHistory,
    read_gallery_history,
    write_settings,
)
from storycanvas.faces.learning import (
    LEFT,
    PROPOSED,
    WRITTEN,
    LearnedSetting,
    Trial,
    fitting,
    learn,
    proposed,
)
from tasks.artifacts import ReportArtifact, subject_key
from tasks.retries import database_task

ARTIFACT_KEY = "learn-preferences"


class PreferencesReport(BaseModel):
    """What the kept and removed pictures of a character say about its settings.

    Attributes:
        pictures: Operations by what became of their pictures.
        settings: A row for each setting that these operations have.
        missing: Lists of the gallery that are missing or null.
        undo: A line for mongosh that takes back what was written.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    character_id: str
    apply: bool
    pictures: dict[Outcome, int]
    settings: tuple[LearnedSetting, ...]
    missing: tuple[str, ...] = ()
    undo: str = ""

    def summary(self) -> str:
        """Summarise what was found, and what was done about it."""
        numbers = ", ".join(f"{number} {outcome}" for outcome, number in self.pictures.items())
        found = (
            f"Pictures of character {self.character_id!r} by its newest operations, {MAX_ENTRIES} "
            f"at most: {numbers}."
        )
        return f"{found} {self._done()}"

    def _done(self) -> str:
        values = [
            f"{row.setting} = {shown_value(row.value)}"
            for row in self.settings
            if row.verdict == (WRITTEN if self.apply else PROPOSED)
        ]
        left = [row.setting for row in self.settings if row.verdict == LEFT]
        sentences = [f"Changed meanwhile and left: {', '.join(left)}."] if left else []
        if not values:
            nothing = "Nothing was written" if self.apply else "Nothing is proposed"
            return " ".join([f"{nothing}.", *sentences])
        if self.apply:
            return " ".join([f"Written: {', '.join(values)}.", *sentences])
        return (
            f"Proposed: {', '.join(values)}. Nothing was changed; start the flow again with apply "
            "on to write this."
        )

    def lines(self) -> list[str]:
        """Write each setting as a line, and how what was written is undone."""
        lines = [
            f"{row.setting}: {shown_value(row.value)} kept {row.kept}, removed {row.removed}; next "
            f"{shown_next(row)}; was {shown_value(row.old_value)}: {row.verdict}."
            for row in self.settings
        ]
        return [*lines, f"To undo it, in mongosh: {self.undo}"] if self.undo else lines

    def warnings(self) -> list[str]:
        """Name the parts of the gallery of which nothing is known."""
        if not self.missing:
            return []
        names = ", ".join(self.missing)
        return [f"The gallery has no {names}: what became of the pictures there is not known."]


def shown_value(value: object) -> str:
    """Write a value for people; null is a value that is not set."""
    return "not set" if value is None else str(value)


def shown_next(row: LearnedSetting) -> str:
    """Write the other value that was kept most often, and how often."""
    return f"{shown_value(row.next_value)} kept {row.next_kept}" if row.has_next else "none"


@database_task("read the ledger")
def read_history(database: Database[Document], character_id: str) -> GalleryHistory:
    """Read what became of the pictures of a character's newest operations."""
    return read_gallery_history(database, character_id)


def judge_history(character_id: str, history: GalleryHistory) -> PreferencesReport:
    """Decide what is proposed."""
    found = [outcome for _, outcome in history.entries]
    trials = [
        Trial(entry.operation_type, entry.parameters, outcome is Outcome.KEPT)
        for entry, outcome in history.entries
        if outcome in {Outcome.KEPT, Outcome.REMOVED}
    ]
    return PreferencesReport(
        character_id=character_id,
        apply=False,
        pictures={outcome: found.count(outcome) for outcome in Outcome},
        settings=learn(trials, SETTING_NAMES, history.settings),
        missing=history.missing,
    )


@database_task("write the settings")
def write_proposed(
    database: Database[Document], history: GalleryHistory, report: PreferencesReport
) -> PreferencesReport:
    """Write what is proposed, where the old value is still there."""
    done = write_settings(
        database,
        report.character_id,
        history.settings,
        proposed(report.settings),
        fitting,
        datetime.now(UTC),
    )
    verdicts = dict.fromkeys(done.written, WRITTEN) | dict.fromkeys(done.left, LEFT)
    rows = tuple(
        row.model_copy(update={"verdict": verdicts.get(row.setting, row.verdict)})
        for row in report.settings
    )
    return report.model_copy(update={"apply": True, "settings": rows, "undo": done.undo})


def preferences_table(report: PreferencesReport) -> ReportArtifact:
    """Write a report as a table: what is proposed or written comes first."""
    verdicts = (LEFT, WRITTEN, PROPOSED)
    rows = sorted(report.settings, key=lambda row: row.verdict not in verdicts)
    key = f"{ARTIFACT_KEY}-{subject_key(report.character_id)}"
    return ReportArtifact(key, [_row(row) for row in rows])


def _row(row: LearnedSetting) -> dict[str, str | int]:
    return {
        "setting": row.setting,
        "value": shown_value(row.value),
        "verdict": row.verdict,
        "kept": row.kept,
        "removed": row.removed,
        "next value": shown_next(row),
        "old value": shown_value(row.old_value),
    }
