"""Which settings a character's kept pictures speak for: a decision from counts alone."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from storycanvas.faces.errors import OutOfRange
from storycanvas.faces.operations import OPERATIONS, AgeAdjustOperation, parse_operation
from storycanvas.faces.preferences import Preferences, normal_value

MIN_KEPT = 3
TIMES_THE_NEXT = 2

PROPOSED = "proposed"
WRITTEN = "written"
LEFT = "changed meanwhile, left"
ALREADY_SET = "already so"
TOO_FEW = f"kept less than {MIN_KEPT} times"
TOO_CLOSE = "not kept twice as often as the next value"
TIED = "another value is as good"
DOES_NOT_FIT = "does not fit the other settings"

Settings = Mapping[str, Any]


@dataclass(frozen=True)
class Trial:
    """An operation whose picture a person has kept or removed.

    Attributes:
        parameters: As the ledger stores them: null is left out, and what is left out is default.
    """

    operation_type: str
    parameters: Settings
    kept: bool


class LearnedSetting(BaseModel):
    """What the pictures say about one setting.

    Attributes:
        value: The one with most pictures kept minus removed; null is an editor value not sent.
        kept: Pictures with the value that are still there.
        removed: Pictures with the value that a person removed.
        has_next: Whether there is another value.
        next_value: The other value that was kept most often.
        next_kept: Pictures kept with that value.
        old_value: What the character has; null where it has none, which means the default.
        verdict: What is done about it, or why nothing is.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    setting: str
    value: Any
    kept: int
    removed: int
    has_next: bool = False
    next_value: Any = None
    next_kept: int = 0
    old_value: Any = None
    verdict: str = PROPOSED


@dataclass
class _Tally:
    """Pictures by the value of one setting, as JSON."""

    kept: Counter[str] = field(default_factory=Counter)
    removed: Counter[str] = field(default_factory=Counter)

    def add(self, value: object, *, kept: bool) -> None:
        (self.kept if kept else self.removed)[json.dumps(value)] += 1

    def ranked(self) -> list[str]:
        """List the values, that with most pictures kept minus removed first."""
        values = {**self.kept, **self.removed}
        return sorted(values, key=lambda value: (-self.score(value), -self.kept[value], value))

    def score(self, value: str) -> int:
        return self.kept[value] - self.removed[value]


def learn(
    trials: Iterable[Trial], names: Sequence[str], settings: Settings
) -> tuple[LearnedSetting, ...]:
    """Decide for each setting which value is proposed, if any.

    It is the value with most pictures kept minus removed, if it was kept at least 3 times and at
    least twice as often as any other. A stored value that equals the default counts as not set, so
    the default is proposed only where something else is set.

    Args:
        trials: What became of pictures; an operation that is not understood is left out.
        names: The settings that a character can have, in their order.
        settings: The character's own.

    Returns:
        A row for each setting that one of the operations has.
    """
    tallies: dict[str, _Tally] = {}
    for trial in trials:
        for name, value in _values(trial).items():
            tallies.setdefault(name, _Tally()).add(value, kept=trial.kept)
    rows = [_judged(name, tallies[name], settings) for name in names if name in tallies]
    wanted = proposed(rows)
    fit = fitting(settings, wanted)
    return tuple(
        row.model_copy(update={"verdict": DOES_NOT_FIT})
        if row.setting in wanted and row.setting not in fit
        else row
        for row in rows
    )


def proposed(rows: Iterable[LearnedSetting]) -> dict[str, Any]:
    """Get the values that are proposed, by setting."""
    return {row.setting: row.value for row in rows if row.verdict == PROPOSED}


def fitting(settings: Settings, wanted: Settings) -> dict[str, Any]:
    """Leave the wanted settings with which every operation still takes a character's settings.

    All of them if they fit together; else one after another, in their order.
    """
    before = _problems(settings)
    if _problems({**settings, **wanted}) <= before:
        return dict(wanted)
    fit: dict[str, Any] = {}
    for name, value in wanted.items():
        if _problems({**settings, **fit, name: value}) <= before:
            fit[name] = value
    return fit


def _problems(settings: Settings) -> set[str]:
    found: set[str] = set()
    chosen = Preferences(character=settings)
    for operation in OPERATIONS:
        needed = {"target_age": 40} if operation is AgeAdjustOperation else {}
        try:
            chosen.resolve(operation, fitted={}, explicit=needed)
        except OutOfRange as error:
            found.add(str(error))
    return found


def _values(trial: Trial) -> dict[str, Any]:
    """Read every parameter of an operation, with the defaults of those that are not stored."""
    try:
        operation = parse_operation({"operation_type": trial.operation_type, **trial.parameters})
    except ValidationError:
        return {}
    return operation.model_dump(mode="json")


def _judged(name: str, tally: _Tally, settings: Settings) -> LearnedSetting:
    best, *others = tally.ranked()
    following = max(others, key=lambda value: tally.kept[value], default=None)
    next_kept = tally.kept[following] if following else 0
    value = json.loads(best)
    if tally.kept[best] < MIN_KEPT:
        verdict = TOO_FEW
    elif any(tally.score(other) == tally.score(best) for other in others):
        verdict = TIED
    elif tally.kept[best] < TIMES_THE_NEXT * next_kept:
        verdict = TOO_CLOSE
    else:
        is_set = normal_value(name, settings.get(name)) == normal_value(name, value)
        verdict = ALREADY_SET if is_set else PROPOSED
    return LearnedSetting(
        setting=name,
        value=value,
        kept=tally.kept[best],
        removed=tally.removed[best],
        has_next=following is not None,
        next_value=json.loads(following) if following else None,
        next_kept=next_kept,
        old_value=settings.get(name),
        verdict=verdict,
    )
