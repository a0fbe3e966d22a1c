"""What a dry run says of a plan: the steps that no age changes, and the time of the others."""

import pytest

from storycanvas.faces.errors import BaseAgeUnknown
from storycanvas.faces.forecasts.dry_run import (
    MAX_ROWS,
    bounded_rows,
    expectation,
    plan_rows,
    steps_at_any_age,
)
from storycanvas.faces.operations import EnhancementModel
from storycanvas.faces.plan import Plan
from storycanvas.faces.recipes.age_progression import age_progression
from storycanvas.faces.recipes.steps import Choice
from storycanvas.faces.reports.steps import Outcome, StepReport


def plan(age: float) -> Plan:
    return age_progression(
        "face.png", round(age), [25], enhance_base=EnhancementModel.CODEFORMER, enhance=Choice.NONE
    )


def step(outcome: Outcome = "planned", usual: float | None = None) -> StepReport:
    return StepReport(step="x", operation_type="enhance", outcome=outcome, usual_seconds=usual)


def test_the_steps_that_no_age_changes_are_left() -> None:
    found = steps_at_any_age(plan)

    assert [step.name for step in found.steps] == ["enhance base"]
    assert (found.base_age, found.warnings, found.notes) == (None, (), ())


def test_ages_that_a_plan_refuses_do_not_count() -> None:
    def planned(age: float) -> Plan:
        if age < 30:
            raise BaseAgeUnknown("Too young.")
        return plan(30)

    assert [step.name for step in steps_at_any_age(planned).steps] == ["enhance base", "age 25"]


def test_a_plan_that_refuses_every_age_is_refused() -> None:
    def refused(age: float) -> Plan:
        raise BaseAgeUnknown(f"{age} is no age.")

    with pytest.raises(BaseAgeUnknown):
        steps_at_any_age(refused)


@pytest.mark.parametrize(
    ("steps", "sentence"),
    [
        ([step("reused", 4.0)], "It would take no GPU time."),
        ([step()], "What they take is not known: too few operations of their kinds were done."),
        (
            [step(usual=4.0), step(usual=38.0), step("reused", 99.0)],
            "GPU time by what such steps usually took: about 40 s.",
        ),
        (
            [step(usual=4.0), step()],
            "GPU time by what such steps usually took: about 4 s, without 1 step of a rare kind.",
        ),
    ],
)
def test_the_time_to_expect_is_the_sum_of_the_medians(
    steps: list[StepReport], sentence: str
) -> None:
    assert expectation(steps) == sentence


def test_a_row_names_the_model_and_what_the_step_starts_from() -> None:
    planned = StepReport(step="enhance base", operation_type="enhance", outcome="planned")

    (row,) = plan_rows(plan(40), [planned])

    assert (row["what"], row["model"], row["from"]) == ("to do", "codeformer", "base")


def test_a_long_table_says_how_much_is_missing() -> None:
    rows = bounded_rows([{"step": f"{n}"} for n in range(MAX_ROWS + 5)])

    assert len(rows) == MAX_ROWS + 1
    assert rows[-1] == {"step": "and 5 more"}
