"""The report of a pipeline that was run for several characters."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from storycanvas.faces.reports.steps import MAX_REASONS, FaceRunReport
from storycanvas.net.wording import counted

CharacterOutcome = Literal["done", "partly done", "planned", "failed", "not begun"]


class CharacterResult(BaseModel):
    """What became of one character.

    Attributes:
        character_id: Whose.
        outcome: `done`; `partly done` if only some steps were; `failed` without any; `not begun`
            after too many failures; `planned` in a dry run where some steps are not done yet.
        steps: A count of its steps by outcome, as a sentence; empty where none was planned.
        error: Why it is not done.
        contact_sheet: What the app can show of its sheet.
        contact_sheet_page: Address of that sheet's page in Prefect's UI.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    character_id: str
    outcome: CharacterOutcome
    steps: str = ""
    error: str | None = None
    contact_sheet: str | None = None
    contact_sheet_page: str | None = None


class CharactersReport(BaseModel):
    """What a pipeline did for several characters.

    Attributes:
        pipeline: Name of the flow whose pipeline it was.
        total_characters: All, those included that wait for a later run.
        completed_characters: Those whose steps are all done.
        failed_characters: Those of this run that are not.
        waiting_characters: Those left to a later run by `only_first`, or by a dry run.
        results: One entry a character of this run, in order.
        reports: The report of each character that was begun, by its id.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    pipeline: str
    total_characters: int = Field(ge=0)
    completed_characters: int = Field(ge=0)
    failed_characters: int = Field(ge=0)
    waiting_characters: int = Field(0, ge=0)
    results: tuple[CharacterResult, ...]
    reports: dict[str, FaceRunReport] = Field(default_factory=dict)

    def summary(self) -> str:
        """Count in a sentence what is done, failed and left."""
        parts = [f"{self.completed_characters} done"]
        parts += [f"{self.failed_characters} failed"] if self.failed_characters else []
        parts += [f"{self.waiting_characters} wait"] if self.waiting_characters else []
        return f"{counted(self.total_characters, 'character')}: {', '.join(parts)}."

    def reasons(self, most: int = MAX_REASONS) -> str:
        """Say of the first characters that failed why."""
        failed = [each for each in self.results if each.outcome not in {"done", "planned"}]
        told = [f"{result.character_id}: {result.error}" for result in failed[:most]]
        more = [f"And {len(failed) - most} more."] if len(failed) > most else []
        return " ".join([*told, *more])


def character_result(character_id: str, report: FaceRunReport) -> CharacterResult:
    """Tell of a character what the report of its steps tells."""
    outcomes = {step.outcome for step in report.steps}
    left = outcomes & {"failed", "skipped"}
    made = outcomes & {"done", "reused"}
    outcome: CharacterOutcome = "planned" if "planned" in outcomes else "done"
    if left:
        outcome = "partly done" if made else "failed" if "failed" in outcomes else "not begun"
    return CharacterResult(
        character_id=character_id,
        outcome=outcome,
        steps=report.summary(),
        error=" ".join(report.reasons()) or None,
        contact_sheet=report.contact_sheet,
        contact_sheet_page=report.contact_sheet_page,
    )


def characters_report(
    pipeline: str,
    results: tuple[CharacterResult, ...],
    reports: dict[str, FaceRunReport],
    waiting: int,
) -> CharactersReport:
    """Make the report of a run from its parts."""
    done = sum(result.outcome == "done" for result in results)
    planned = sum(result.outcome == "planned" for result in results)
    return CharactersReport(
        pipeline=pipeline,
        total_characters=len(results) + waiting,
        completed_characters=done,
        failed_characters=len(results) - done - planned,
        waiting_characters=waiting + planned,
        results=results,
        reports=reports,
    )
