"""Age progression: one base picture, one picture for each wanted age.

The rules (docs/pictures.md, "Ageing"): the same base for all ages, intermediate ages for
jumps of 40 years and more, a softer blend for large single jumps, enhancement after ageing,
nothing below 10.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from storycanvas.faces.errors import BaseAgeUnknown, ChildAgeRefused
from storycanvas.faces.operations import AgeAdjustOperation, EnhancementModel
from storycanvas.faces.plan import Gallery, Plan, PlanPicture, Step
from storycanvas.faces.preferences import Preferences
from storycanvas.faces.recipes.steps import Choice, EnhancerChoice, enhancement, wants_enhancement

INTERMEDIATE_FROM = 40
"""Years of a jump from which on intermediate ages are used (docs/pictures.md)."""


def age_path(base_age: int, ages: Iterable[int]) -> dict[int, int]:
    """Find the age from which each age is made.

    A jump of less than 40 years starts at the base picture. A larger one starts at the planned age
    nearest to its middle that leaves less than 40 years to go, so that intermediates are shared;
    where there is none, the jump is cut into equal parts of less than 40 years.

    Args:
        base_age: Years, 0 to 100: the age of the base picture.
        ages: The wanted ages, in any order.

    Returns:
        For each wanted or intermediate age the age it is made from, parents before children. The
        base age stands for the base picture; if it is wanted itself, it is made from the base too.
    """
    parents: dict[int, int] = {}
    for age in sorted(set(ages), key=lambda age: (abs(age - base_age), age)):
        _reach(age, base_age, parents)
    return _in_order(parents, base_age)


def _in_order(parents: dict[int, int], base_age: int) -> dict[int, int]:
    """Put the ages into ascending order, each after the one it is made from."""
    ordered: dict[int, int] = {}

    def add(age: int) -> None:
        start = parents[age]
        if start != base_age and start not in ordered:
            add(start)
        ordered[age] = start

    for age in sorted(parents):
        add(age)
    return ordered


def _reach(age: int, base_age: int, parents: dict[int, int]) -> None:
    if age in parents:
        return
    jump = age - base_age
    if abs(jump) < INTERMEDIATE_FROM:
        parents[age] = base_age
        return
    parent = _nearest_to_middle(age, base_age, parents)
    if parent is None:
        parts = abs(jump) // INTERMEDIATE_FROM + 1
        parent = base_age + round(jump * (parts - 1) / parts)
        _reach(parent, base_age, parents)
    parents[age] = parent


def _nearest_to_middle(age: int, base_age: int, parents: dict[int, int]) -> int | None:
    low, high = sorted((age, base_age))
    between = [p for p in parents if low < p < high and abs(age - p) < INTERMEDIATE_FROM]
    return min(between, key=lambda p: (abs(p - (age + base_age) / 2), p), default=None)


YOUNGEST = 10
"""Years below which ageing is refused unless child ages are allowed."""

LARGE_JUMP = 30
"""Years of one ageing step from which on it is blended softly."""

LARGE_JUMP_BLEND = 0.7
"""Share of the result that a large jump mixes into its input (docs/pictures.md, "Ageing")."""

BASE = "base"


def age_progression(
    base_image: str,
    base_age: int,
    ages: Sequence[int],
    *,
    enhance: EnhancerChoice = Choice.AS_PREFERRED,
    preferences: Preferences | None = None,
    allow_child_ages: bool = False,
) -> Plan:
    """Plan the pictures of one character at several ages.

    Args:
        base_image: Reference of the base picture.
        base_age: Years; what is known or estimated of the base picture.
        ages: Wanted ages in years, 0 to 100; order and repetitions do not matter.
        enhance: Model that restores each wanted picture after ageing.
        preferences: Settings of a preset and of the character.
        allow_child_ages: Whether ages below 10 may be made.

    Returns:
        A plan whose last step for each wanted age belongs into the gallery's `age_variants`.

    Raises:
        ChildAgeRefused: An age below 10 without `allow_child_ages`.
    """
    refuse_child_ages(ages, allow_child_ages=allow_child_ages)
    chosen = preferences or Preferences()
    steps: list[Step] = []
    for age, start in age_path(base_age, ages).items():
        wanted = age in ages
        enhanced = wanted and wants_enhancement(enhance)
        parent = BASE if start == base_age else age_step(start)
        steps.append(_ageing(age, start, parent, chosen, finished=wanted and not enhanced))
        if enhanced:
            steps.append(_enhancing(age, enhance, chosen))
    base = PlanPicture(name=BASE, reference=base_image, label=f"base ({base_age})")
    return Plan(pictures=(base,), steps=tuple(steps))


def refuse_child_ages(ages: Sequence[int], *, allow_child_ages: bool) -> None:
    """Refuse ages below 10 that are not allowed explicitly, with `ChildAgeRefused`."""
    youngest = min(ages)
    if youngest < YOUNGEST and not allow_child_ages:
        raise ChildAgeRefused(
            f"Age {youngest} is below {YOUNGEST}, where ageing models fail; "
            "set allow_child_ages if it is meant."
        )


def plan_base_age(known: int | None, estimate: float | None) -> int:
    """Choose the age from which jumps are planned: what is known, else the engine's estimate.

    Raises:
        BaseAgeUnknown: There is neither.
    """
    if known is not None:
        return known
    if estimate is None:
        raise BaseAgeUnknown(
            "The engine gives no estimate of the age in the base picture; name it as base_age."
        )
    return max(0, min(100, round(estimate)))


def age_step(age: int) -> str:
    """Name the step that makes an age."""
    return f"age {age}"


def _ageing(age: int, start: int, parent: str, chosen: Preferences, *, finished: bool) -> Step:
    fitted: dict[str, Any] = {}
    if abs(age - start) >= LARGE_JUMP:
        fitted["age_adjustment_blend"] = LARGE_JUMP_BLEND
    operation, sources = chosen.resolve(
        AgeAdjustOperation, fitted=fitted, explicit={"target_age": age}
    )
    del sources["target_age"]
    return Step(
        name=age_step(age),
        operation=operation,
        inputs=(parent,),
        gallery=Gallery.AGE_VARIANTS if finished else None,
        age=age if finished else None,
        label=age_step(age) if finished else "",
        sources=sources,
    )


def _enhancing(age: int, model: EnhancerChoice, chosen: Preferences) -> Step:
    operation, sources = enhancement(model, EnhancementModel.GFPGAN_1_4, chosen)
    return Step(
        name=f"enhance age {age}",
        operation=operation,
        inputs=(age_step(age),),
        gallery=Gallery.AGE_VARIANTS,
        age=age,
        label=age_step(age),
        sources=sources,
    )
