"""The report that a flow returns: what was done, reused or failed, and in how many seconds."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from storycanvas.net.wording import counted

Outcome = Literal["done", "reused", "failed", "skipped"]

STOPPED = "The run was stopped before this step."
LEFT_TO_HOST = "The run was stopped during this step; the host keeps its result for the next run."

_A_STEP_FAILED = "skipped, because a step before failed."


class _ReportPart(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class StepReport(_ReportPart):
    """What became of one step.

    Attributes:
        step: The step's name.
        operation_type: What it does.
        outcome: `done` now, `reused` from the ledger, `failed`, or `skipped` because an input is
            missing.
        host: Address of the host that did it; for a reused step, of the one that did it then.
        seconds: From the start of the step to its end; fetching and storing included.
        engine_seconds: What the engine needed; of the first time for a reused step.
        output_url: What the app can show; None without a picture.
        output_path: Path in the image store.
        estimated_age: The engine's estimate before the operation, in years.
        sources: Where each parameter that is not the built-in default came from.
        error: One sentence, when it failed or was skipped.
    """

    step: str
    operation_type: str
    outcome: Outcome
    host: str | None = None
    seconds: float = Field(0.0, ge=0)
    engine_seconds: float | None = None
    output_url: str | None = None
    output_path: str | None = None
    estimated_age: float | None = None
    sources: dict[str, str] = Field(default_factory=dict)
    error: str | None = None


class FaceRunReport(_ReportPart):
    """What a face flow did.

    Attributes:
        flow: The flow's name.
        character_id: Whose face.
        engine: `facefusion` or `preview`, with its version.
        host: Address of the face host; of several, all that the run could use, with commas.
        base_age: Years from which the jumps were planned, where ages play a part.
        estimated_age: The engine's estimate for the base picture, in years.
        warnings: What the user should know, such as a face that is too small.
        notes: What could be better, such as the size of a picture.
        steps: One entry a step, in the plan's order.
        contact_sheet: What the app can show of the contact sheet.
        contact_sheet_path: The sheet's path in the image store.
        contact_sheet_page: Address of the page in Prefect's UI that shows the sheet and links its
            pictures; None without a UI.
    """

    flow: str
    character_id: str
    engine: str
    host: str
    base_age: int | None = None
    estimated_age: float | None = None
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    steps: tuple[StepReport, ...]
    contact_sheet: str | None = None
    contact_sheet_path: str | None = None
    contact_sheet_page: str | None = None

    @property
    def unfinished(self) -> tuple[StepReport, ...]:
        """Steps that failed or were skipped."""
        return tuple(step for step in self.steps if step.outcome in {"failed", "skipped"})

    def reasons(self) -> tuple[str, ...]:
        """Write a sentence for each reason why steps failed, and one for all that were skipped."""
        steps_of: dict[str, list[str]] = {}
        for step in self.unfinished:
            reason = step.error or "unknown."
            if step.outcome == "skipped" and reason not in {STOPPED, LEFT_TO_HOST}:
                reason = _A_STEP_FAILED
            steps_of.setdefault(reason, []).append(step.step)
        failed = [reason for reason in steps_of if reason != _A_STEP_FAILED]
        ordered = [*failed, *(steps_of.keys() - failed)]
        return tuple(f"{', '.join(steps_of[reason])}: {reason}" for reason in ordered)

    def summary(self) -> str:
        """Summarise the steps in a sentence."""
        counts = {
            outcome: sum(step.outcome == outcome for step in self.steps)
            for outcome in ("done", "reused", "failed", "skipped")
        }
        parts = [f"{count} {outcome}" for outcome, count in counts.items() if count]
        steps = counted(len(self.steps), "step")
        return f"{steps}: {', '.join(parts)}."

    def with_link(self, sentence: str) -> str:
        """End a sentence about the run with the link to its contact sheet, where there is one."""
        link = self.contact_sheet_page or self.contact_sheet
        return f"{sentence} Contact sheet: {link}" if link else sentence
