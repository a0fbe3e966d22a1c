"""What may be saved as a preset: values of one operation, or a chain.

A preset names only some of an operation's fields. They are checked as the operation that they make
with its defaults, so `output_quality` needs an `output_format` beside it, as it does in a run.
"""

from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, Literal, cast

from pydantic import Field, ValidationError, create_model
from pydantic_core import to_jsonable_python

from storycanvas.faces.chain import CHAIN, saved_chain_of
from storycanvas.faces.errors import BadField, ChainInvalid, OutOfRange
from storycanvas.faces.operations import KINDS, FaceOperation
from storycanvas.faces.preferences import misfit, refuse_unknown
from storycanvas.faces.recipes.chain import chain_plan

PresetKind = Literal["enhance", "age_adjust", "swap", "edit", "mask", "detect", "chain"]
"""What a preset is for: an operation, or a chain of them."""

_CHAIN_PARTS = ("pictures", "parameters", "steps", "gallery")


def preset_parameters(kind: PresetKind, name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Check what is to be saved, and return it as plain values in the operation's own spelling.

    Args:
        kind: What the preset is for.
        name: Of the preset; a saved chain may not have that of one that comes with the project.
        given: Fields of the operation by their stored names, or the parts of a chain.

    Raises:
        BadField: It is empty, or has a field that the operation does not have.
        OutOfRange: The operation does not take a value.
        ChainInvalid: It is no chain, or cannot be planned with its defaults.
    """
    return _chain(name, given) if kind == CHAIN else _values(kind, given)


def _values(kind: str, given: Mapping[str, Any]) -> dict[str, Any]:
    refuse_unknown(given, kind)
    if not given:
        fields = ", ".join(sorted(KINDS[kind].model_fields.keys() - {"operation_type"}))
        raise BadField(
            f"The preset has no values, so it would change nothing; name some of {fields}."
        )
    for name, value in given.items():
        if isinstance(value, bool):  # which would be read as 0 or 1
            raise OutOfRange(
                f"{name} = {str(value).lower()} does not fit the operation {kind}: no field of it "
                "takes true or false."
            )
    try:
        read = _partial(KINDS[kind]).model_validate(dict(given))
    except ValidationError as error:
        raise OutOfRange(misfit(kind, error, dict.fromkeys(given, "parameters"))) from error
    return {name: to_jsonable_python(getattr(read, name)) for name in given}


@cache
def _partial(operation: type[FaceOperation]) -> type[FaceOperation]:
    """Make a model that has an operation's rules, but needs none of its fields."""
    optional: dict[str, Any] = {}
    for name, info in operation.model_fields.items():
        if info.is_required():
            hint: Any = info.annotation
            for constraint in info.metadata:
                hint = Annotated[hint, constraint]
            optional[name] = (hint, Field(None, alias=info.alias))  # a default is not checked
    made = create_model(f"Partial{operation.__name__}", __base__=operation, **optional)
    return cast("type[FaceOperation]", made)


def _chain(name: str, parts: Mapping[str, Any]) -> dict[str, Any]:
    unknown = [part for part in parts if part not in _CHAIN_PARTS]
    if unknown:
        raise ChainInvalid(
            f"The parameters of a chain hold {unknown[0]!r}; they are {', '.join(_CHAIN_PARTS)}. "
            "Name and description are fields of the preset."
        )
    chain = saved_chain_of(name, parts)
    if all(parameter.default is not None for parameter in chain.parameters.values()):
        # Whether ages below 10 are made is for each run to decide.
        chain_plan(chain, {picture: picture for picture in chain.pictures}, allow_child_ages=True)
    return chain.model_dump(mode="json", exclude_unset=True, exclude={"name", "description"})
