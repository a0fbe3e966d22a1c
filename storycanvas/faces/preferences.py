"""Where an operation's settings come from: default, recipe, character, preset, or the form."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cache
from typing import Annotated, Any

from pydantic import TypeAdapter, ValidationError

from storycanvas.faces.errors import BadField, OutOfRange
from storycanvas.faces.operations import KINDS, OPERATIONS, FaceOperation, parse_operation
from storycanvas.faces.plan import Plan
from storycanvas.net.wording import shown

_KNOWN = {
    name for operation in OPERATIONS for name in operation.model_fields if name != "operation_type"
}
_STORED_NAMES = {
    info.alias: name
    for operation in OPERATIONS
    for name, info in operation.model_fields.items()
    if info.alias
}


@dataclass(frozen=True)
class Preferences:
    """Settings of two stored sources and of the form, for every operation of a run.

    A stored value that equals the built-in default counts as not set, as null does: the app stores
    every setting of a character at each save, whether or not a person chose it.

    Attributes:
        preset: Parameters of a `facefusion_presets` document.
        preset_operation: The `operation_type` that the preset is for; None when there is no preset.
        character: A character's `facefusion_preferred_settings`; weaker than the preset, which a
            person names for this run.
        named: Settings that a person named in the form; stronger than both.

    Raises:
        BadField: The preset is for no known operation, or holds a parameter that it does not have.
    """

    preset: Mapping[str, Any] = field(default_factory=dict)
    preset_operation: str | None = None
    character: Mapping[str, Any] = field(default_factory=dict)
    named: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.preset_operation is not None:
            refuse_unknown(self.preset, self.preset_operation)

    def unknown_settings(self) -> tuple[str, ...]:
        """Write a sentence for each setting of the character that no operation has."""
        return tuple(
            f"The preferred settings of the character hold {name!r}, which no operation has, so it "
            f"is not used{_nearest(name, _KNOWN)}."
            for name in sorted(self.character.keys() - _KNOWN)
        )

    def resolve(
        self,
        operation: type[FaceOperation],
        *,
        fitted: Mapping[str, Any],
        explicit: Mapping[str, Any],
    ) -> tuple[FaceOperation, dict[str, str]]:
        """Choose each parameter's value, the strongest source winning.

        Args:
            operation: The operation's class.
            fitted: Values that a recipe fits to the case, such as the blend of a large age jump;
                they give way to every other source.
            explicit: Values that the caller named.

        Returns:
            The operation, and the source of each value that is not the built-in default: `recipe`,
            `character`, `preset` or `explicit`, by field name.

        Raises:
            OutOfRange: A source holds a value that the operation does not take.
        """
        fields = set(operation.model_fields) - {"operation_type"}
        kind = operation.model_fields["operation_type"].default
        preset = self.preset if self.preset_operation == kind else {}
        values: dict[str, Any] = {}
        sources: dict[str, str] = {}
        for source, offered in (
            ("recipe", fitted),
            ("character", _chosen(operation, self.character)),
            ("preset", _chosen(operation, preset)),
            ("explicit", self.named),
            ("explicit", explicit),
        ):
            for name in fields & offered.keys():
                if offered[name] is not None:
                    values[name], sources[name] = offered[name], source
        return build_operation(operation, values, sources)


def _chosen(operation: type[FaceOperation], stored: Mapping[str, Any]) -> dict[str, Any]:
    """Keep the stored values of an operation's fields that differ from the built-in default."""
    names = operation.model_fields.keys() & stored.keys()
    return {name: stored[name] for name in names if not _is_default(operation, name, stored[name])}


def _is_default(operation: type[FaceOperation], name: str, value: object) -> bool:
    """Compare as the operation reads the value: `yolo_face` and `["box"]` are defaults, too."""
    try:
        read = _field_reader(operation, name).validate_python(value)
    except ValidationError:
        return False  # the operation refuses it, with its source
    default = operation.model_fields[name].get_default()
    return bool(read == default)


def normal_value(name: str, value: object) -> object:
    """Give the value of a setting as operations read it, as JSON; null means the default.

    What no operation takes stays as it is.
    """
    operation = next(o for o in OPERATIONS if name in o.model_fields)
    reader = _field_reader(operation, name)
    default = operation.model_fields[name].get_default()
    try:
        read = default if value is None else reader.validate_python(value)
    except ValidationError:
        return value
    normal: object = reader.dump_python(read, mode="json")
    return normal


@cache
def _field_reader(operation: type[FaceOperation], name: str) -> TypeAdapter[Any]:
    info = operation.model_fields[name]
    hint: Any = info.annotation
    for constraint in info.metadata:
        hint = Annotated[hint, constraint]
    return TypeAdapter(hint)


def build_operation(
    operation: type[FaceOperation], values: Mapping[str, Any], sources: Mapping[str, str]
) -> tuple[FaceOperation, dict[str, str]]:
    """Make an operation of values, and keep the sources of those that are not the default.

    Raises:
        OutOfRange: The operation does not take a value; names its source.
    """
    kind = operation.model_fields["operation_type"].default
    try:
        resolved = parse_operation({"operation_type": kind, **values})
    except ValidationError as error:
        raise OutOfRange(misfit(kind, error, sources)) from error
    defaults = {name: info.get_default() for name, info in operation.model_fields.items()}
    chosen = {name: s for name, s in sources.items() if getattr(resolved, name) != defaults[name]}
    return resolved, dict(sorted(chosen.items()))


def unused_preset(plan: Plan, preferences: Preferences) -> tuple[str, ...]:
    """Warn when a preset is for an operation that the plan does not have."""
    kind = preferences.preset_operation
    if kind is None or kind in {step.operation.operation_type for step in plan.steps}:
        return ()
    return (f"The preset is for the operation {kind}, which this run does not have: not used.",)


def refuse_unknown(preset: Mapping[str, Any], kind: str) -> None:
    """Refuse a preset for no known operation, or with a parameter that it does not have.

    Raises:
        BadField: It is one of these.
    """
    if kind not in KINDS:
        raise BadField(f"The preset is for {kind!r}; the operations are {', '.join(KINDS)}.")
    known = KINDS[kind].model_fields.keys() - {"operation_type"}
    unknown = sorted(preset.keys() - known)
    if unknown:
        listed = ", ".join(f"{name}{_nearest(name, known)}" for name in unknown)
        raise BadField(
            f"The preset holds {listed}, which the operation {kind} does not have; "
            f"it has {', '.join(sorted(known))}."
        )


def _nearest(name: str, known: set[str]) -> str:
    """Name the known setting that is meant by a misspelt name, or by the one of the host's API."""
    stored = _STORED_NAMES.get(name)
    close = [stored] if stored in known else get_close_matches(name, known, n=1)
    return f" (the nearest known name is {close[0]})" if close else ""


def misfit(kind: str, error: ValidationError, sources: Mapping[str, str]) -> str:
    """Write a sentence about the first value that an operation does not take, and its source."""
    first = error.errors(include_url=False, include_context=False)[0]
    reason = first["msg"].removeprefix("Value error, ")
    path = [str(part) for part in first["loc"] if str(part) != kind]
    if not path:
        involved = ", ".join(sorted(set(sources.values()))) or "explicit"
        return f"The settings of the operation {kind} (from: {involved}) do not fit: {reason}."
    name = _STORED_NAMES.get(path[0], path[0])
    source = sources.get(name, "explicit")
    return (
        f"{name} = {shown(first['input'])} (from: {source}) does not fit the operation {kind}: "
        f"{reason}."
    )
