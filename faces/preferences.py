"""Where an operation's settings come from: default, preset, character, or given explicitly."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from faces.errors import OutOfRange
from faces.operations import FaceOperation, parse_operation


@dataclass(frozen=True)
class Preferences:
    """Settings of two sources, for every operation of a run.

    Attributes:
        preset: Parameters of a `facefusion_presets` document.
        preset_operation: The `operation_type` that the preset is for; None when there is no preset.
        character: A character's `facefusion_preferred_settings`; a null value counts as not set.
    """

    preset: Mapping[str, Any] = field(default_factory=dict)
    preset_operation: str | None = None
    character: Mapping[str, Any] = field(default_factory=dict)

    def settle(
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
                they stand in for the built-in defaults and so give way to every other source.
            explicit: Values that the caller named.

        Returns:
            The operation, and the source of each value that is not the built-in default: `recipe`,
            `preset`, `character` or `explicit`, by field name.

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
            ("preset", preset),
            ("character", self.character),
            ("explicit", explicit),
        ):
            for name in fields & offered.keys():
                if offered[name] is not None:
                    values[name], sources[name] = offered[name], source
        return _build(operation, kind, values, sources)


def _build(
    operation: type[FaceOperation], kind: str, values: dict[str, Any], sources: dict[str, str]
) -> tuple[FaceOperation, dict[str, str]]:
    try:
        settled = parse_operation({"operation_type": kind, **values})
    except ValidationError as error:
        raise OutOfRange(_sentence(kind, error, sources)) from error
    defaults = {name: info.get_default() for name, info in operation.model_fields.items()}
    told = {name: s for name, s in sources.items() if getattr(settled, name) != defaults[name]}
    return settled, dict(sorted(told.items()))


def _sentence(kind: str, error: ValidationError, sources: Mapping[str, str]) -> str:
    first = error.errors(include_url=False)[0]
    path = [str(part) for part in first["loc"] if str(part) != kind]
    name = path[0] if path else "parameters"
    by_alias = {"face_editor_age": "target_age", "face_editor_blend": "age_adjustment_blend"}
    name = by_alias.get(name, name)
    source = sources.get(name, "explicit")
    return (
        f"{name} = {first['input']!r} (from: {source}) does not fit the operation {kind}: "
        f"{first['msg'].removeprefix('Value error, ')}."
    )
