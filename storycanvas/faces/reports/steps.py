"""The report that a flow returns: what was done, reused or failed, and in how many seconds."""

from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

from storycanvas.faces.forecasts.usual import is_slow, slow_sentence
from storycanvas.faces.reports.measures import StepMeasure
from storycanvas.faces.sheets.contact_sheet import Box
from storycanvas.net.wording import counted

Outcome = Literal["done", "reused", "rejected", "planned", "failed", "skipped"]

STOPPED = "The run was stopped before this step."
LEFT_TO_HOST = "The run was stopped during this step; the host keeps its result for the next run."
GIVEN_UP = "The run was stopped during this step; the host has given it up."

MAX_NAMED = 10
"""Steps that a sentence names: a run may have a thousand."""

MAX_REASONS = 10
"""Reasons that a sentence names; the table of the run's steps has all of them."""

NEEDS = "it needs '"
"""How the reason of a step begins that was skipped because a step before it failed."""

_A_STEP_FAILED = "skipped, because a step before failed."


class _ReportPart(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class StepReport(_ReportPart):
    """What became of one step.

    Attributes:
        step: The step's name.
        operation_type: What it does.
        outcome: `done` now, `reused` from the ledger, `failed`, or `skipped` because an input is
            missing; `planned` in a dry run for what a run would do; `rejected` by a person, so that
            no gallery has it.
        host: Address of the host that did it; for a reused step, of the one that did it then.
        seconds: From the start of the step to its end; fetching and storing included.
        engine_seconds: What the engine needed; of the first time for a reused step.
        usual_seconds: What the engine usually needs for such a step; None where too few were done.
        output_url: What the app can show; None without a picture.
        output_path: Path in the image store.
        operation_key: Its key in the ledger; None if it was not done.
        estimated_age: The engine's estimate before the operation, in years.
        faces_detected: Faces found in the changed picture; None where the host did not say.
        faces: Left, top, width and height in pixels of each face that was worked on, in the changed
            picture; empty where the host did not say.
        sources: Where each parameter that is not the built-in default came from.
        error: One sentence, when it failed or was skipped; the person's note where it was rejected.
        code: Name of the kind of that error, such as `no_face`, where it has one.
        measure: What was measured of its picture; None where nothing was.
        checks: What the measures say against the picture, in sentences.
    """

    step: str
    operation_type: str
    outcome: Outcome
    host: str | None = None
    seconds: float = Field(0.0, ge=0)
    engine_seconds: float | None = None
    usual_seconds: float | None = None
    output_url: str | None = None
    output_path: str | None = None
    operation_key: str | None = None
    estimated_age: float | None = None
    faces_detected: int | None = None
    faces: tuple[Box, ...] = ()
    sources: dict[str, str] = Field(default_factory=dict)
    error: str | None = None
    code: str | None = None
    measure: StepMeasure | None = None
    checks: tuple[str, ...] = ()

    @property
    def is_done(self) -> bool:
        """Whether there is its result, made now or earlier."""
        return self.outcome in {"done", "reused"}


class FaceRunReport(_ReportPart):
    """What a face flow did.

    Attributes:
        flow: The flow's name.
        character_id: Whose face; None without a character.
        character_name: What people call it; empty without a character or a name.
        character_page: Address of its page in the app; None where none is known.
        engine: `facefusion` or `preview`, with its version.
        host: Address of the face host; of several, all that the run could use, with commas.
        base_age: Years from which the jumps were planned, where ages play a part.
        estimated_age: The engine's estimate for the base picture, in years.
        warnings: What the user should know, such as a face that is too small.
        notes: What could be better, such as the size of a picture.
        steps: One entry a step, in the plan's order.
        data: What the app can show of the run's data as JSON, where a flow stores some.
        contact_sheet: What the app can show of the contact sheet, its first page.
        contact_sheet_path: That page's path in the image store.
        contact_sheet_pages: What the app can show of every page.
        contact_sheet_page: Address of the page in Prefect's UI that shows the sheet and links its
            pictures; None without a UI.
        archive: A ZIP file of the run's pictures with their settings as JSON, or their folder.
        gallery_page: What the app can show of all results of the character; None without one.
    """

    flow: str
    character_id: str | None
    engine: str
    host: str
    character_name: str = ""
    character_page: str | None = None
    base_age: int | None = None
    estimated_age: float | None = None
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    steps: tuple[StepReport, ...]
    data: str | None = None
    contact_sheet: str | None = None
    contact_sheet_path: str | None = None
    contact_sheet_pages: tuple[str, ...] = ()
    contact_sheet_page: str | None = None
    archive: str | None = None
    gallery_page: str | None = None

    @property
    def unfinished(self) -> tuple[StepReport, ...]:
        """Steps that failed or were skipped."""
        return tuple(step for step in self.steps if step.outcome in {"failed", "skipped"})

    def reasons(self, most: int = MAX_REASONS) -> tuple[str, ...]:
        """Write a sentence for each reason why steps failed, and one for all that were skipped.

        `most` bounds them; of more, a last sentence says how many there are.
        """
        steps_of: dict[str, list[str]] = {}
        for step in self.unfinished:
            reason = step.error or "unknown."
            if step.outcome == "skipped" and reason.startswith(NEEDS):
                reason = _A_STEP_FAILED
            steps_of.setdefault(reason, []).append(step.step)
        failed = [reason for reason in steps_of if reason != _A_STEP_FAILED]
        ordered = [*failed, *(steps_of.keys() - failed)]
        more = [f"And {len(ordered) - most} more reasons."] if len(ordered) > most else []
        told = [f"{_listed(steps_of[reason])}: {reason}" for reason in ordered[:most]]
        return (*told, *more)

    def check_warnings(self, most: int = MAX_REASONS) -> tuple[str, ...]:
        """Write what the measures say against pictures, each sentence with its step.

        `most` bounds them; of more, a last sentence says how many there are.
        """
        found = [f"{step.step}: {sentence}" for step in self.steps for sentence in step.checks]
        return _bounded(found, most, "findings in pictures")

    def measure_notes(self, most: int = MAX_REASONS) -> tuple[str, ...]:
        """Write what the measures note of pictures, each sentence with its step.

        `most` bounds them; of more, a last sentence says how many there are.
        """
        measured = [(step.step, step.measure) for step in self.steps if step.measure is not None]
        found = [f"{name}: {sentence}" for name, measure in measured for sentence in measure.notes]
        return _bounded(found, most, "notes on pictures")

    def bound_notes(self) -> tuple[str, ...]:
        """Write by which bounds the likeness to a character was checked, each once."""
        if self.character_id is None:
            return ()
        bounds = [step.measure.bound() for step in self.steps if step.measure is not None]
        return tuple(f"One person below {bound}." for bound in dict.fromkeys(bounds) if bound)

    def slow_notes(self, most: int = MAX_REASONS) -> tuple[str, ...]:
        """Write which steps took far longer than usual, a sentence each.

        `most` bounds them; of more, a last sentence says how many there are.
        """
        found = [
            slow_sentence(step.step, step.engine_seconds, step.usual_seconds)
            for step in self.steps
            if step.outcome == "done" and step.engine_seconds and step.usual_seconds is not None
            if is_slow(step.engine_seconds, step.usual_seconds)
        ]
        return _bounded(found, most, "slow steps")

    def summary(self) -> str:
        """Summarise the steps in a sentence."""
        counts = {
            outcome: sum(step.outcome == outcome for step in self.steps)
            for outcome in get_args(Outcome)
        }
        parts = [f"{count} {outcome}" for outcome, count in counts.items() if count]
        steps = counted(len(self.steps), "step")
        return f"{steps}: {', '.join(parts)}."

    def with_link(self, sentence: str) -> str:
        """End a sentence about the run with the link to its contact sheet, where there is one."""
        link = self.contact_sheet_page or self.contact_sheet
        return f"{sentence} Contact sheet: {link}" if link else sentence


def _bounded(sentences: list[str], most: int, what: str) -> tuple[str, ...]:
    more = len(sentences) - most
    return (*sentences[:most], *([f"And {more} more {what}."] if more > 0 else []))


def _listed(names: list[str]) -> str:
    """Name steps, of many the first ones and how many more there are."""
    more = len(names) - MAX_NAMED
    shown = ", ".join(names[:MAX_NAMED])
    return f"{shown} and {more} more" if more > 0 else shown
