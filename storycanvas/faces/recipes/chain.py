"""A chain with its pictures and values becomes a plan."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from storycanvas.faces.chain import Chain, ChainStep
from storycanvas.faces.errors import ChainInvalid, OutOfRange
from storycanvas.faces.operations import KINDS, AgeAdjustOperation, EnhanceOperation, FaceOperation
from storycanvas.faces.plan import Gallery, Plan, PlanPicture, Step
from storycanvas.faces.preferences import Preferences
from storycanvas.faces.recipes.age_progression import refuse_child_ages
from storycanvas.faces.recipes.pipeline import Pipeline, RecipeInput
from storycanvas.faces.recipes.written import (
    USUAL_GALLERIES,
    unknown_field,
    written_operation,
)
from storycanvas.net.wording import shown


def chain_plan(
    chain: Chain,
    pictures: Mapping[str, str],
    values: Mapping[str, object] | None = None,
    preferences: Preferences | None = None,
    *,
    allow_child_ages: bool = False,
) -> Plan:
    """Plan a chain.

    Args:
        chain: What is done.
        pictures: A reference for each of its pictures, by name.
        values: Values of its parameters, by name; the others have their defaults.
        preferences: Settings for what its steps leave open.
        allow_child_ages: Whether ages below 10 may be made.

    Raises:
        ChainInvalid: A name, type, range or input does not fit; names step and field.
        ChildAgeRefused: An age below 10 without `allow_child_ages`.
    """
    given = _values(chain, values or {})
    _check_pictures(chain, pictures)
    made = _Made(chain, preferences or Preferences())
    for step in chain.steps:
        made.add(step, given)
    if not made.steps:
        raise ChainInvalid("No step of the chain is done with these values.")
    refuse_child_ages(made.ages(), allow_child_ages=allow_child_ages)
    return Plan(
        pictures=tuple(
            PlanPicture(name=name, reference=pictures[name], label=name) for name in chain.pictures
        ),
        steps=made.with_galleries(),
    )


def chain_pictures(chain: Chain, given: Mapping[str, str]) -> dict[str, str | None]:
    """Name the pictures that a run fetches; the first may be left to the character, as None.

    Raises:
        ChainInvalid: Another one is missing, or the chain has no picture of a name.
    """
    first = chain.pictures[0]
    _check_pictures(chain, {first: "", **given})
    return {name: given.get(name) for name in chain.pictures}


def chain_pipeline(
    chain: Chain,
    pictures: Mapping[str, str] | None,
    values: Mapping[str, object] | None,
    *,
    allow_child_ages: bool,
) -> Pipeline:
    """Make the pipeline of a chain.

    Raises:
        ChainInvalid: A picture or a value does not fit.
        ChildAgeRefused: An age below 10 without `allow_child_ages`.
    """
    given = chain_pictures(chain, pictures or {})
    plan_of = partial(chain_plan, chain, values=values, allow_child_ages=allow_child_ages)
    plan_of({name: name for name in given})  # a wrong value is told before a host is asked

    def recipe(found: RecipeInput) -> Plan:
        return plan_of(found.pictures, preferences=found.preferences)

    return Pipeline(given, recipe)


def _values(chain: Chain, values: Mapping[str, object]) -> dict[str, object]:
    unknown = sorted(values.keys() - chain.parameters.keys())
    if unknown:
        known = ", ".join(chain.parameters) or "none"
        raise ChainInvalid(f"The chain has no parameter {shown(unknown[0])}; it has {known}.")
    found: dict[str, object] = {}
    for name, parameter in chain.parameters.items():
        value = values.get(name, parameter.default)
        if value is None:
            raise ChainInvalid(f"The parameter '{name}' has no value; name one.")
        fault = parameter.fault(value)
        if fault:
            raise ChainInvalid(f"parameter '{name}': {fault}")
        found[name] = value
    return found


def _check_pictures(chain: Chain, pictures: Mapping[str, str]) -> None:
    missing = [name for name in chain.pictures if name not in pictures]
    unknown = sorted(pictures.keys() - set(chain.pictures))
    if missing or unknown:
        what = f"needs the picture '{missing[0]}'" if missing else f"has no picture '{unknown[0]}'"
        raise ChainInvalid(f"The chain {what}; its pictures are {', '.join(chain.pictures)}.")


class _Made:
    """The steps of a chain that are done, in order."""

    def __init__(self, chain: Chain, preferences: Preferences) -> None:
        self._chain = chain
        self._preferences = preferences
        self._stand_ins = {name: name for name in chain.pictures}
        self._ages: dict[str, int] = {}
        self.steps: list[Step] = []

    def add(self, step: ChainStep, given: Mapping[str, object]) -> None:
        inputs = self._inputs(step)
        _check_fields(step)
        if not _is_done(step, given):
            self._stand_ins[step.name] = inputs[-1]
            return
        operation, sources = _operation(step, given, self._preferences)
        if isinstance(operation, AgeAdjustOperation):
            self._ages[step.name] = operation.target_age
        elif inputs[-1] in self._ages:
            self._ages[step.name] = self._ages[inputs[-1]]
        self._stand_ins[step.name] = step.name
        self.steps.append(
            Step(
                name=step.name,
                operation=operation,
                inputs=inputs,
                label=step.name,
                sources=sources,
            )
        )

    def _inputs(self, step: ChainStep) -> tuple[str, ...]:
        wanted = len(KINDS[step.operation_type].pictures)
        named = step.inputs
        if not named and wanted == 1:
            before = self._chain.steps.index(step) - 1
            named = (self._chain.steps[before].name if before >= 0 else self._chain.pictures[0],)
        if len(named) != wanted:
            raise ChainInvalid(
                f"step '{step.name}', inputs: {step.operation_type} takes {wanted}, "
                f"not {len(named)}"
            )
        for name in named:
            if name not in self._stand_ins:
                raise ChainInvalid(
                    f"step '{step.name}', inputs: '{name}' is neither a picture nor a step "
                    "before it"
                )
        return tuple(self._stand_ins[name] for name in named)

    def ages(self) -> list[int]:
        """List the years that its pictures show."""
        return list(self._ages.values())

    def with_galleries(self) -> tuple[Step, ...]:
        """Put what is shown into its list: of several made for one list the last."""
        named = {step.name: self._chain.gallery_of(step.name) for step in self.steps}
        if not self._chain.gallery:
            named[self.steps[-1].name] = self._gallery_of_result()
        last = {gallery: name for name, gallery in named.items() if gallery is not None}
        return tuple(self._shown(step, last) for step in self.steps)

    def _gallery_of_result(self) -> Gallery | None:
        kinds = [step.operation for step in self.steps]
        others = [kind for kind in kinds if not isinstance(kind, EnhanceOperation)]
        if not others:
            return Gallery.ENHANCED_FACES
        return USUAL_GALLERIES.get(others[-1].operation_type)

    def _shown(self, step: Step, last: Mapping[Gallery, str]) -> Step:
        galleries = [gallery for gallery, name in last.items() if name == step.name]
        if not galleries:
            return step
        age = self._ages.get(step.name) if galleries[0] is Gallery.AGE_VARIANTS else None
        if galleries[0] is Gallery.AGE_VARIANTS and age is None:
            raise ChainInvalid(
                f"step '{step.name}', gallery: age_variants needs an age, and no step before it "
                "has one"
            )
        return step.model_copy(update={"gallery": galleries[0], "age": age})


def _is_done(step: ChainStep, given: Mapping[str, object]) -> bool:
    value = _value(step, "when", step.when, given)
    if not isinstance(value, bool):
        raise ChainInvalid(f"step '{step.name}', when: {value!r} is no boolean")
    return value


def _value(step: ChainStep, field: str, written: object, given: Mapping[str, object]) -> Any:  # noqa: ANN401
    if not (isinstance(written, str) and written.startswith("$")):
        return written
    name = written.removeprefix("$")
    if name not in given:
        known = ", ".join(given) or "none"
        raise ChainInvalid(
            f"step '{step.name}', {field}: there is no parameter '{name}'; the chain has {known}"
        )
    return given[name]


def _check_fields(step: ChainStep) -> None:
    """Refuse fields that the operation does not have, in steps that are left out, too."""
    stored = KINDS[step.operation_type].model_fields.keys() - {"operation_type"}
    known = {name: name for name in sorted(stored)}
    for name in step.fields:
        if name not in known:
            raise ChainInvalid(
                f"step '{step.name}', {unknown_field(step.operation_type, name, known)}"
            )


def _operation(
    step: ChainStep, given: Mapping[str, object], preferences: Preferences
) -> tuple[FaceOperation, dict[str, str]]:
    fields = {name: _value(step, name, text, given) for name, text in step.fields.items()}
    try:
        return written_operation(step.operation_type, fields, preferences)
    except OutOfRange as error:
        raise ChainInvalid(f"step '{step.name}', {error}") from error
