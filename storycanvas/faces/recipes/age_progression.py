"""Age progression: one base picture, one picture for each wanted age.

The rules (docs/pipelines/age-progression.md, "Choosing"): the same base for all ages,
intermediate ages for jumps of 40 years and more, a softer blend for large single jumps,
enhancement after ageing, nothing below 10.
"""

from collections.abc import Iterator, Mapping, Sequence

from storycanvas.faces.errors import BaseAgeUnknown, ChildAgeRefused
from storycanvas.faces.operations import AgeAdjustOperation, EnhancementModel
from storycanvas.faces.plan import Gallery, Plan, PlanPicture, Step
from storycanvas.faces.preferences import Preferences
from storycanvas.faces.recipes.age_path import (
    INTERMEDIATE_FROM,
    USUAL_RULE,
    Intermediates,
    JumpRule,
    age_path,
)
from storycanvas.faces.recipes.pipeline import Pipeline, RecipeInput
from storycanvas.faces.recipes.steps import Choice, EnhancerChoice, enhancement, wants_enhancement

YOUNGEST = 10
"""Years below which ageing is refused unless child ages are allowed."""

LARGE_JUMP_BLENDS = {60: 0.5, 40: 0.6, 30: 0.7}
"""Share of the result that a single jump of so many years mixes into its input, largest first
(docs/pipelines/age-progression.md, "Choosing")."""

DOUBTFUL_JUMP = 60
"""Years of a whole jump from which on even intermediates seldom give a likeness."""

BASE = "base"
_ENHANCED_BASE = "enhance base"


def age_progression(
    base_image: str,
    base_age: int,
    ages: Sequence[int],
    *,
    enhance: EnhancerChoice = Choice.AS_PREFERRED,
    enhance_base: EnhancerChoice = Choice.NONE,
    rule: JumpRule = USUAL_RULE,
    preferences: Preferences | None = None,
    allow_child_ages: bool = False,
) -> Plan:
    """Plan the pictures of one character at several ages.

    Args:
        base_image: Reference of the base picture.
        base_age: Years; what is known or estimated of the base picture.
        ages: Wanted ages in years, 0 to 100; order and repetitions do not matter.
        enhance: Model that restores each wanted picture after ageing.
        enhance_base: Model that restores the base picture first.
        rule: Which jumps go through intermediate ages.
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
    if wants_enhancement(enhance_base):
        steps.append(_enhancing_base(enhance_base, chosen))
    first = _ENHANCED_BASE if steps else BASE
    path = age_path(base_age, ages, rule)
    for age, start in path.items():
        wanted = age in ages
        enhanced = wanted and wants_enhancement(enhance)
        parent = first if start == base_age else age_step(start)
        steps.append(_ageing(age, start, parent, chosen, finished=wanted and not enhanced))
        if enhanced:
            steps.append(_enhancing(age, enhance, chosen))
    base = PlanPicture(name=BASE, reference=base_image, label=f"base ({base_age})")
    jumps = dict(_jump_warnings(base_age, sorted(set(ages)), path))
    return Plan(
        pictures=(base,),
        steps=tuple(steps),
        base_age=base_age,
        warnings=tuple(jumps),
        about=jumps,
        notes=tuple(_ways(base_age, sorted(set(ages)), path)),
    )


def age_pipeline(
    *,
    ages: Sequence[int],
    base_image: str | None,
    base_age: int | None,
    enhance: EnhancerChoice,
    enhance_base: EnhancerChoice,
    intermediates: Intermediates,
    largest_jump: int | None,
    allow_child_ages: bool,
    refine: bool = False,
) -> Pipeline:
    """Make the pipeline of the flow `age-progression`, whose parameters these are.

    Raises:
        ChildAgeRefused: An age below 10 without `allow_child_ages`.
    """
    refuse_child_ages(ages, allow_child_ages=allow_child_ages)

    def recipe(found: RecipeInput) -> Plan:
        return age_progression(
            found.pictures[BASE],
            plan_base_age(base_age, found.estimated_ages[BASE]),
            ages,
            enhance=enhance,
            enhance_base=enhance_base,
            rule=JumpRule.of(intermediates, largest_jump),
            preferences=found.preferences,
            allow_child_ages=allow_child_ages,
        )

    return Pipeline({BASE: base_image}, recipe, source=BASE, refines=refine)


def _jump_warnings(
    base_age: int, ages: Sequence[int], path: Mapping[int, int]
) -> Iterator[tuple[str, str]]:
    """Warn of ages that are far away; each sentence with the step that it is about."""
    for age in ages:
        years = abs(age - base_age)
        whole = path[age] == base_age
        if years >= DOUBTFUL_JUMP or (whole and years >= INTERMEDIATE_FROM):
            how = "in one step" if whole else "even through intermediate ages"
            sentence = (
                f"Age {age} is {years} years from the base picture: {how} the likeness is often "
                "lost; take a picture of an age that is nearer."
            )
            yield sentence, age_step(age)


def _ways(base_age: int, ages: Sequence[int], path: Mapping[int, int]) -> Iterator[str]:
    for age in ages:
        way = []
        start = path[age]
        while start != base_age:
            way.append(start)
            start = path[start]
        if way:
            through = ", ".join(map(str, reversed(way)))
            yield f"Age {age} is made through the intermediate {_ages(way)} {through}."


def _ages(way: Sequence[int]) -> str:
    return "age" if len(way) == 1 else "ages"


def refuse_child_ages(ages: Sequence[int], *, allow_child_ages: bool) -> None:
    """Refuse ages below 10 that are not allowed explicitly, with `ChildAgeRefused`."""
    youngest = min(ages, default=YOUNGEST)
    if youngest < YOUNGEST and not allow_child_ages:
        raise ChildAgeRefused(
            f"Age {youngest} is below {YOUNGEST}, where ageing models fail; "
            "start a run with allow_child_ages on if it is meant."
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
    years = abs(age - start)
    blends = [blend for jump, blend in LARGE_JUMP_BLENDS.items() if years >= jump]
    fitted = {"age_adjustment_blend": blends[0]} if blends else {}
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


def _enhancing_base(model: EnhancerChoice, chosen: Preferences) -> Step:
    operation, sources = enhancement(model, EnhancementModel.GFPGAN_1_4, chosen)
    return Step(
        name=_ENHANCED_BASE,
        operation=operation,
        inputs=(BASE,),
        gallery=Gallery.ENHANCED_FACES,
        label="enhanced base",
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
