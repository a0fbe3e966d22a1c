"""Ageing a face once more where the age that was read is far from the one that was asked.

An ageing model and a network that reads ages seldom agree, so nothing is refined unless it is asked
for. The second picture is made from the same picture as the first, by a step of its own, with a
target that is off by what the first reading was off.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain

from storycanvas.faces.operations import AgeAdjustOperation
from storycanvas.faces.plan import Plan, Step
from storycanvas.faces.recipes.age_path import OLDEST
from storycanvas.faces.recipes.age_progression import YOUNGEST

REFINED_FROM = 5.0
"""Years; a reading that is off by no more is left as it is: networks differ by as much."""


def refined(plan: Plan, read_ages: Mapping[str, float]) -> Plan:
    """Add a step, and its enhancement, for each age whose reading is off.

    Args:
        plan: What was done.
        read_ages: Years that the pictures look, by step; those that were not measured are missing.

    Returns:
        The whole plan, with notes on what could not be refined; the same where nothing is off.
    """
    wanted = [step for step in plan.steps if step.age is not None]
    steps = tuple(chain.from_iterable(_again(plan, step, read_ages) for step in wanted))
    notes = tuple(_left_alone(plan, wanted, read_ages))
    if not (steps or notes):
        return plan
    # Checked anew: a name of a step may be taken.
    return Plan(**{**dict(plan), "steps": (*plan.steps, *steps), "notes": (*plan.notes, *notes)})


def may_be_refined(plan: Plan, read_ages: Mapping[str, float]) -> list[str]:
    """Name the steps that `refined` may do once more: their ages are off, or not read yet."""
    names: list[str] = []
    for step in plan.steps:
        ageing = _ageing_of(plan, step) if step.age is not None else None
        if ageing is None:
            continue
        if step.name not in read_ages or any(_again(plan, step, read_ages)):
            names += dict.fromkeys([ageing[0].name, step.name])
    return names


def needed_for(plan: Plan, names: set[str]) -> Plan:
    """Take the steps with these names, and those that they need, out of a plan."""
    needed = set(names)
    for step in reversed(plan.steps):
        if step.name in needed:
            needed.update(step.inputs)
    return plan.model_copy(
        update={
            "pictures": tuple(picture for picture in plan.pictures if picture.name in needed),
            "steps": tuple(step for step in plan.steps if step.name in needed),
        }
    )


def given_age(plan: Plan, step: Step) -> int | None:
    """Find the target that was given to the model for an age that a step's picture shows.

    Returns:
        None where the step shows no age, or the very age was given.
    """
    ageing = _ageing_of(plan, step) if step.age is not None else None
    return None if ageing is None or ageing[1] == step.age else ageing[1]


def _ageing_of(plan: Plan, step: Step) -> tuple[Step, int] | None:
    """Find the step that gave a picture its age, which may be enhanced since, and its target."""
    steps = {each.name: each for each in plan.steps}
    found: Step | None = step
    while found is not None:
        if isinstance(found.operation, AgeAdjustOperation):
            return found, found.operation.target_age
        found = steps.get(found.inputs[-1])
    return None


@dataclass(frozen=True)
class _Correction:
    """What is wrong with an age.

    Attributes:
        ageing: The step that made it.
        target: Years that the model was given.
        given: Years that it is to be given.
    """

    ageing: Step
    target: int
    given: int


def _correction(plan: Plan, step: Step, read_ages: Mapping[str, float]) -> _Correction | None:
    """Find what is wrong with an age; None where it is near enough or was not measured."""
    found, read = _ageing_of(plan, step), read_ages.get(step.name)
    if found is None or read is None or step.age is None or abs(step.age - read) <= REFINED_FROM:
        return None
    ageing, target = found
    youngest = min(YOUNGEST, step.age)
    given = min(max(round(target + step.age - read), youngest), OLDEST)
    return _Correction(ageing, target, given)


def _again(plan: Plan, step: Step, read_ages: Mapping[str, float]) -> Iterator[Step]:
    wrong = _correction(plan, step, read_ages)
    if wrong is None or wrong.given == wrong.target:
        return
    again = f"{wrong.ageing.name} as {wrong.given}"
    operation = wrong.ageing.operation.model_copy(update={"target_age": wrong.given})
    label = {"label": f"{step.label}, as {wrong.given}"} if step.label else {}
    changed = {"name": again, "operation": operation}
    if wrong.ageing.name == step.name:
        yield step.model_copy(update={**changed, **label})
        return
    yield wrong.ageing.model_copy(update=changed)
    inputs = tuple(again if name == wrong.ageing.name else name for name in step.inputs)
    name = f"{step.name} as {wrong.given}"
    yield step.model_copy(update={"name": name, "inputs": inputs, **label})


def _left_alone(plan: Plan, wanted: list[Step], read_ages: Mapping[str, float]) -> Iterator[str]:
    for step in wanted:
        if step.name not in read_ages:
            yield f"Age {step.age} was not refined: its picture was not measured."
            continue
        wrong = _correction(plan, step, read_ages)
        if wrong is not None and wrong.given == wrong.target:
            yield f"Age {step.age} was not refined: models are given ages of 10 to 100."
