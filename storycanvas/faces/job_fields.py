"""Fields that a job's `input_data` may have, by its type (docs/jobs.md)."""

from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StringConstraints,
    ValidationError,
)

from storycanvas.faces.batch import picture_names, read_names
from storycanvas.faces.chain import CHAIN
from storycanvas.faces.errors import BadField, FaceError, OutOfRange
from storycanvas.faces.operations import Age, Blend
from storycanvas.faces.plan import LongestSide
from storycanvas.faces.recipes.age_path import Intermediates
from storycanvas.faces.recipes.steps import Choice, EnhancerChoice
from storycanvas.faces.recipes.written import unknown_field
from storycanvas.faces.settings import FaceSettings
from storycanvas.net.wording import shown

BATCH = "batch"
"""What a job without a type is: the app's own batches have none."""

AGES = "ages"
"""Field of `age_adjust` with which several ages are made, as `age-progression` makes them."""

_MAX_NAMED = 5
"""Unknown fields that a sentence names."""


def _blank(value: object) -> object:
    return None if isinstance(value, str) and not value.strip() else value


def _number(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError("it takes neither true nor false")  # noqa: TRY004 - pydantic's
    return value


_Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
_Reference = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]
_OptionalText = Annotated[_Text | None, BeforeValidator(_blank)]
_OptionalReference = Annotated[_Reference | None, BeforeValidator(_blank)]
_Years = Annotated[Age, BeforeValidator(_number)]
_Value = bool | int | float | str


class _Fields(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class SharedFields(_Fields):
    """What every job may have, beside the character of its document."""

    character_id: _OptionalText = None
    preset: _OptionalText = None
    settings: FaceSettings | None = None
    longest_side: Annotated[LongestSide | None, BeforeValidator(_number)] = None
    contact_sheet: StrictBool = False


SHARED = SharedFields.model_fields.keys() - {"character_id"}


class AgesFields(_Fields):
    """Several ages of one picture; the fields are parameters of `age-progression`."""

    image_url: _OptionalReference = None
    ages: list[_Years] = Field(min_length=1, max_length=50)
    base_age: _Years | None = None
    age_adjustment_blend: Blend | None = Field(None, alias="face_editor_blend")
    enhance: EnhancerChoice = Choice.AS_PREFERRED
    enhance_base: EnhancerChoice = Choice.NONE
    intermediates: Intermediates = Intermediates.AUTO
    largest_jump: Annotated[
        Annotated[int, Field(ge=10, le=39)] | None, BeforeValidator(_number)
    ] = None


class BatchFields(_Fields):
    """Items, each as `batch-process` reads them."""

    operations: list[Any]


class ChainFields(_Fields):
    """A chain by its name, its text or its parts, or its steps alone."""

    chain: str | dict[str, Any] | None = None
    steps: str | list[Any] | dict[str, Any] | None = None
    pictures: dict[str, _Reference] | None = None
    values: dict[str, _Value] | None = None


M = TypeVar("M", bound=_Fields)


def wants_several_ages(kind: str, own: Mapping[str, Any]) -> bool:
    """Check whether a job asks for several ages, and not for one operation."""
    return kind == "age_adjust" and own.get(AGES) is not None


def refuse_unknown(kind: str, own: Mapping[Any, Any]) -> None:
    """Refuse fields that a type of job does not have, beside those of every job.

    Raises:
        BadField: There are some; names them, and for each the nearest name.
    """
    known = _known(kind, own)
    unknown = [str(name)[:60] for name in own if name not in known]
    if unknown:
        told = [unknown_field(kind, name, known) for name in unknown[:_MAX_NAMED]]
        more = [f"and {len(unknown) - _MAX_NAMED} more"] if len(unknown) > _MAX_NAMED else []
        raise BadField(f"{'; '.join([*told, *more])}.")


def _known(kind: str, own: Mapping[Any, Any]) -> Mapping[str, str]:
    """Map the names that a job's own fields may have to the names that are stored."""
    models: dict[str, type[_Fields]] = {BATCH: BatchFields, CHAIN: ChainFields}
    if kind in models or wants_several_ages(kind, own):
        fields = models.get(kind, AgesFields).model_fields
        named = (*fields, *SHARED)
        known = {info.alias: name for name, info in fields.items() if info.alias}
    else:
        ages = (AGES,) if kind == "age_adjust" else ()
        named = (*picture_names(kind), "parameters", *ages, *SHARED)
        known = read_names(kind)
    return known | {name: name for name in named}


def read_fields(model: type[M], written: Mapping[Any, Any]) -> M:
    """Read fields as another program wrote them.

    Raises:
        BadField: A field is missing or not of its form.
        OutOfRange: A number is too small or too large.
    """
    try:
        return model.model_validate(dict(written))
    except ValidationError as error:
        raise _fault(error) from error


def _fault(error: ValidationError) -> FaceError:
    first = error.errors(include_url=False)[0]
    depth = 2 if first["loc"][:1] in _WITH_PARTS else 1  # what follows is of pydantic's own
    field = ".".join(str(part)[:60] for part in first["loc"][:depth]) or "input_data"
    if first["type"] == "missing":
        return BadField(f"{field} is missing.")
    if first["type"] == "extra_forbidden":
        return BadField(f"{field}: there is no such field.")
    reason = first["msg"].removeprefix("Value error, ")
    kind = OutOfRange if first["type"] in _BOUNDS else BadField
    return kind(f"{field}: {shown(first['input'])} cannot be used: {reason}.")


_BOUNDS = {"less_than_equal", "greater_than_equal"}
_WITH_PARTS = {("settings",), (AGES,), ("pictures",), ("values",)}
