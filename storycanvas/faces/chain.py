"""Chains: several operations as data that a person writes (docs/pipelines/face-chain.md)."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError, model_validator

from storycanvas.faces.errors import ChainInvalid
from storycanvas.faces.plan import Gallery
from storycanvas.faces.settings import REFERENCE
from storycanvas.faces.written_text import read_yaml
from storycanvas.net.wording import shown

CHAIN = "chain"
"""`operation_type` of a preset that holds a chain."""

NO_GALLERY = "none"
Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9 _-]{0,59}$")]
Value = bool | int | float | str
GalleryName = Literal[
    "enhanced_faces",
    "age_variants",
    "swapped_faces",
    "edited_expressions",
    "custom_outputs",
    "none",
]

_TYPES: dict[str, tuple[type, ...]] = {
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
    "string": (str,),
}


class _ChainPart(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ChainParameter(_ChainPart):
    """A value that a run of the chain chooses.

    Attributes:
        type: `integer`, `number`, `boolean` or `string`.
        minimum: Smallest number.
        maximum: Largest number.
        choices: All texts that are allowed; empty allows any.
        default: Taken where a run names no value; None makes the run name one.
        description: What it is, in a sentence.
    """

    type: Literal["integer", "number", "boolean", "string"]
    minimum: FiniteFloat | None = None
    maximum: FiniteFloat | None = None
    choices: tuple[str, ...] = ()
    default: Value | None = None
    description: str = Field("", max_length=500)

    def fault(self, value: object) -> str | None:
        """Say why a value does not fit; None if it does."""
        kinds = _TYPES[self.type]
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            return f"{shown(value)} is no {self.type}"
        if isinstance(value, int | float) and not isinstance(value, bool):
            # What is not a number is beyond each bound.
            if self.minimum is not None and not value >= self.minimum:
                return f"{shown(value)} is less than {self.minimum:g}"
            if self.maximum is not None and not value <= self.maximum:
                return f"{shown(value)} is more than {self.maximum:g}"
        if self.choices and value not in self.choices:
            return f"{shown(value)} is none of {', '.join(self.choices)}"
        return None

    @model_validator(mode="after")
    def _bounds_fit_type(self) -> Self:
        bounded = self.minimum is not None or self.maximum is not None
        if bounded and self.type not in {"integer", "number"}:
            raise ValueError(f"minimum and maximum are for numbers, the type is {self.type}")
        if self.choices and self.type != "string":
            raise ValueError(f"choices are for texts, the type is {self.type}")
        return self


class ChainStep(BaseModel):
    """One operation of a chain; beside these fields it has those of the operation.

    Attributes:
        name: What later steps, reports and the contact sheet call it.
        operation_type: Of the operation.
        inputs: Pictures or earlier steps; empty is the step before, or the first picture.
        when: Whether it is done; its readers take its input where it is not.
    """

    model_config = ConfigDict(extra="allow", frozen=True)

    name: Name
    operation_type: Literal["enhance", "age_adjust", "swap", "edit", "mask"]
    inputs: tuple[Name, ...] = Field((), max_length=2)
    when: bool | str = True

    @property
    def fields(self) -> Mapping[str, Any]:
        """The fields of its operation as written; a text that begins with `$` is a parameter."""
        return self.model_extra or {}


class Chain(_ChainPart):
    """A chain as it is written, before a run gives it pictures and values.

    Attributes:
        name: Its name.
        description: What it does, in a sentence.
        pictures: Names of the pictures that a run gives; the first is the character's reference
            image where a run gives none.
        parameters: Values that a run chooses, by name.
        steps: In an order in which each comes after its inputs.
        gallery: Lists of the gallery by step; of several made for one list the last counts. Empty
            puts the result into the list of its last operation other than `enhance`.
    """

    name: Annotated[str, Field(min_length=1, max_length=200)] = "chain"
    description: str = Field("", max_length=2000)
    pictures: tuple[Name, ...] = Field(("picture",), min_length=1, max_length=16)
    parameters: dict[Name, ChainParameter] = Field(default_factory=dict, max_length=50)
    steps: tuple[ChainStep, ...] = Field(min_length=1, max_length=50)
    gallery: dict[Name, GalleryName] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _names_fit(self) -> Self:
        names = [*self.pictures, *(step.name for step in self.steps)]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice or REFERENCE in names:
            raise ValueError(
                f"the name '{(twice or [REFERENCE])[0]}' is taken; each part needs its own"
            )
        unknown = sorted(self.gallery.keys() - {step.name for step in self.steps})
        if unknown:
            raise ValueError(f"gallery names '{unknown[0]}', which is no step")
        for name, parameter in self.parameters.items():
            fault = None if parameter.default is None else parameter.fault(parameter.default)
            if fault:
                raise ValueError(f"parameter '{name}', default: {fault}")
        return self

    def gallery_of(self, step: str) -> Gallery | None:
        """Return the list that is named for a step."""
        named = self.gallery.get(step, NO_GALLERY)
        return None if named == NO_GALLERY else Gallery(named)


def read_chain(text: str) -> Chain:
    """Read a chain from YAML or JSON.

    Raises:
        ChainInvalid: It is no chain; names what is wrong and where.
    """
    return chain_of(read_yaml(text))


def chain_of(document: object) -> Chain:
    """Read a chain from its parts, such as the parameters of a preset.

    Raises:
        ChainInvalid: It is no chain.
    """
    if not isinstance(document, Mapping):
        raise ChainInvalid("A chain is an object with steps; see docs/pipelines/face-chain.md.")
    try:
        return Chain.model_validate(dict(document))
    except ValidationError as error:
        raise ChainInvalid(f"The chain cannot be used: {_fault(document, error)}.") from error


def saved_chain_of(name: str, parts: Mapping[str, Any]) -> Chain:
    """Read a chain from the name and the parameters of a preset.

    Raises:
        ChainInvalid: It is no chain, or has the name of one that comes with the project.
    """
    if name in shipped_chains():
        raise ChainInvalid(
            f"The preset {name!r} has the name of a chain that comes with the project, which is "
            "found first; save it under another name."
        )
    return chain_of({**parts, "name": name})


@cache
def shipped_chains() -> Mapping[str, Chain]:
    """Read the chains that come with the project, by name."""
    folder = files("storycanvas.faces.chains")
    texts = [file.read_text() for file in folder.iterdir() if file.name.endswith(".yaml")]
    return {chain.name: chain for chain in sorted(map(read_chain, texts), key=lambda c: c.name)}


def _fault(document: Mapping[Any, Any], error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    reason = first["msg"].removeprefix("Value error, ")
    path = [str(part) for part in first["loc"]]
    if path[:1] == ["steps"] and len(path) > 1 and path[1].isdigit():
        step = document["steps"][int(path[1])]
        name = step.get("name", path[1]) if isinstance(step, Mapping) else path[1]
        path = [f"step '{str(name)[:60]}'", *path[2:]]
    return f"{', '.join(path[:3])}: {reason}" if path else reason
