"""A run that waits for a person: what it made is shown, and only what is kept gets into a gallery.

Until then the ledger has the results without what they add to a character, so that neither another
run nor `audit-db` can apply it. A run is suspended and ends its process; once it is answered it
begins anew and finds everything in the ledger.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, NoReturn

from prefect.client.schemas.objects import State
from prefect.flow_runs import suspend_flow_run
from prefect.input import RunInput, keyset_from_paused_state, read_flow_run_input
from prefect.logging import get_run_logger
from prefect.runtime import deployment, flow_run
from prefect.states import Suspended
from pydantic import Field, create_model

from db.errors import BrokenCharacter, CharacterTooLarge
from db.ledger import record_operation
from storycanvas.faces.errors import BadField
from storycanvas.faces.reports.steps import StepReport
from storycanvas.faces.results.reviewing import (
    ALL,
    ReviewAnswer,
    entered_steps,
    form_text,
    named_apart,
    read_answer,
    review_key,
)
from tasks.faces.context import RunContext
from tasks.faces.effects import pending_effects
from tasks.faces.plan import PlanResult
from tasks.faces.step import RunRequest
from tasks.retries import retrying_task

KEEP = "Pictures that the gallery receives; left empty, all that are not rejected below."
REJECT = "Pictures that it does not receive; all stands for every picture."
NOTE = "Why pictures are rejected; the report has it."

WAITS = "Nothing has gone to the gallery yet: press Resume on the page of the run, and decide."
MAX_ASKED = 100
SECONDS_OF_AN_HOUR = 3600
Reviewed = tuple[RunRequest, PlanResult]
"""For whom a run was, and what it made."""
Show = Callable[[], str | None]
"""Shows what was made, and returns the address of the page with the contact sheet."""


def refuse_review(*, has_character: bool) -> None:
    """Refuse a review that no person could answer, or where there is nothing to decide.

    Raises:
        BadField: The run has no deployment, so Prefect cannot start it again, or no character.
    """
    if deployment.id is None or flow_run.parent_flow_run_id is not None:
        raise BadField(
            "review needs a run of a deployment, which Prefect can start again once it is "
            "answered: start it in the Prefect UI, or leave review off."
        )
    if not has_character:
        raise BadField(
            "review is about what the gallery of a character receives: name a character_id, or "
            "leave review off."
        )


def review(
    context: RunContext,
    runs: Sequence[Reviewed],
    show: Show,
    label: Callable[[RunRequest], str] = lambda _request: "",
) -> list[PlanResult]:
    """Have a person decide on what runs made, and record what is kept.

    Args:
        context: The run's context.
        runs: For whom each was, and what it made.
        show: Shows it, while there is no answer.
        label: What a run is called in the form; empty for the only one.

    Returns:
        What became of each: what was rejected has that outcome. Without a request for a review, and
        after an interrupt, the results as they are.

    Raises:
        prefect.exceptions.Pause: There is no answer yet; the run ends its process.
    """
    results = [result for _, result in runs]
    hours = next((r.review_hours for r, _ in runs if r.review_hours is not None), None)
    if hours is None or any(result.interrupt for result in results):
        return results
    made = [(label(request), _shown(result)) for request, result in runs]
    names = named_apart(made)
    shown = {name: made[number][1][step] for name, (number, step) in names.items()}
    answer = _answer(shown, hours, show) if shown else ReviewAnswer(frozenset())
    rejected: list[set[str]] = [set() for _ in runs]
    for name in answer.rejected:
        number, step = names[name]
        rejected[number].add(step)
    return [
        _decided(context, request, result, rejected[number], answer.reason)
        for number, (request, result) in enumerate(runs)
    ]


def _shown(result: PlanResult) -> dict[str, str]:
    """Find the pixel hash of each picture that a gallery would receive, by its step."""
    return {
        step.name: result.outputs[step.name].sha256
        for step in result.plan.steps
        if step.gallery is not None and step.name in result.outputs
    }


def _answer(shown: Mapping[str, str], hours: int, show: Show) -> ReviewAnswer:
    """Read the answer, or end the process until there is one."""
    form = form_of(shown)
    given = _given(shown)
    if given is None:
        _ask(form, shown, hours, show())
    answer = form.model_validate(given)
    keep, reject, note = (getattr(answer, name) for name in ("keep", "reject", "note"))
    return read_answer(shown, keep, reject, note)


def _given(shown: Mapping[str, str]) -> Any:  # noqa: ANN401 - JSON is any value
    """Read what a person has answered about these very pictures; None for nothing yet."""
    for asked in range(MAX_ASKED):
        suspended: State[Any] = Suspended(timeout_seconds=1, pause_key=review_key(shown, asked))
        keys = keyset_from_paused_state(suspended)
        given = read_flow_run_input(keys["response"])
        if given is not None or read_flow_run_input(keys["schema"]) is None:
            return given
    return None


def _ask(form: type[RunInput], shown: Mapping[str, str], hours: int, sheet: str | None) -> NoReturn:
    text = form_text(len(shown), sheet, datetime.now(UTC) + timedelta(hours=hours))
    get_run_logger().info("Press Resume on the page of this run. %s", text)
    asking = form.with_initial_data(description=text)
    for asked in range(MAX_ASKED):
        key = review_key(shown, asked)
        suspend_flow_run(wait_for_input=asking, timeout=hours * SECONDS_OF_AN_HOUR, key=key)
        # It goes on where this key was used before, and the run that waited crashed: Prefect
        # would give an empty answer, which a person has not given.
    raise BadField(f"The review was asked for {MAX_ASKED} times without an answer; start anew.")


def form_of(names: Iterable[str]) -> type[RunInput]:
    """Make the form: two lists to choose pictures from, and a line of text."""
    name = Literal[(ALL, *names)]  # type: ignore[valid-type]
    fields: dict[str, Any] = {
        "keep": (list[name], Field(default=[], description=KEEP)),
        "reject": (list[name], Field(default=[], description=REJECT)),
        "note": (str, Field(default="", description=NOTE)),
    }
    return create_model("Review", __base__=RunInput, **fields)


def _decided(
    context: RunContext,
    request: RunRequest,
    result: PlanResult,
    rejected: set[str],
    reason: str,
) -> PlanResult:
    names = entered_steps(result.plan, result.outputs, rejected)
    errors = record_kept(context, request, result, names)

    def told(step: StepReport) -> StepReport:
        if step.step in errors:
            refused = {"outcome": "failed", "error": str(errors[step.step])}
            return step.model_copy(update=refused)
        if step.step in rejected:
            return step.model_copy(update={"outcome": "rejected", "error": reason})
        return step

    steps = tuple(map(told, result.steps))
    return replace(result, steps=steps, errors={**result.errors, **errors})


@retrying_task("record what is kept")
def record_kept(
    context: RunContext, request: RunRequest, result: PlanResult, names: Sequence[str]
) -> dict[str, Exception]:
    """Record what results of steps add to the character, and return what finds no room."""
    steps = {step.name: step for step in result.plan.steps}
    refused: dict[str, Exception] = {}
    for name in names:
        record, step = result.outputs[name].record, steps[name]
        if record is None or request.character_id is None:
            continue
        inputs = [result.outputs[each] for each in step.inputs]
        found = pending_effects(record, step, inputs, request.character_id, context.flow_name)
        entered = record.model_copy(update={"effects": found})
        try:
            record_operation(context.database, entered, datetime.now(UTC))
        except (CharacterTooLarge, BrokenCharacter) as error:
            refused[name] = error
    return refused
