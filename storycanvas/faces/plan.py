"""Step and Plan: which operation on which picture, after which."""

from enum import StrEnum
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from storycanvas.faces.errors import PlanInvalid
from storycanvas.faces.operations import Age, Operation


class Gallery(StrEnum):
    """Lists of a character's `facefusion_output_gallery` (docs/schema.md, "Characters")."""

    ENHANCED_FACES = "enhanced_faces"
    AGE_VARIANTS = "age_variants"
    SWAPPED_FACES = "swapped_faces"
    EDITED_EXPRESSIONS = "edited_expressions"
    CUSTOM_OUTPUTS = "custom_outputs"


class _PlanPart(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PlanPicture(_PlanPart):
    """A picture that comes from outside of the plan.

    Attributes:
        name: What steps and messages call it, such as `base`.
        reference: Its http(s) URL, store path or local path.
        label: What the contact sheet writes below it; empty leaves it out.
    """

    name: str = Field(min_length=1)
    reference: str = Field(min_length=1)
    label: str = ""


class Step(_PlanPart):
    """One operation with its inputs.

    Attributes:
        name: What reports, task runs and later steps call it; unique in its plan.
        operation: What to do.
        inputs: Names of plan pictures or earlier steps, in the order of `operation.pictures`.
        gallery: The gallery list that shows the result; None for an intermediate result.
        age: Years that the result shows, for the gallery's `age_variants`.
        label: What the contact sheet writes below the result; empty leaves it out.
        sources: Where each parameter that is not the built-in default came from, by field name.
    """

    name: str = Field(min_length=1)
    operation: Operation
    inputs: tuple[str, ...]
    gallery: Gallery | None = None
    age: Age | None = None
    label: str = ""
    sources: dict[str, str] = Field(default_factory=dict)


class Plan(_PlanPart):
    """Pictures and steps, in an order in which each step's inputs come before it.

    Raises:
        PlanInvalid: A name is used twice, an input is unknown, comes later or makes no picture,
            or a step has too many or too few inputs.
    """

    pictures: tuple[PlanPicture, ...]
    steps: tuple[Step, ...]

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        usable: set[str] = set()
        taken: set[str] = set()
        for picture in self.pictures:
            _claim(picture.name, taken)
            usable.add(picture.name)
        for step in self.steps:
            _check_inputs(step, usable)
            _claim(step.name, taken)
            if step.operation.makes_picture:
                usable.add(step.name)
        return self


def _claim(name: str, taken: set[str]) -> None:
    if name in taken:
        raise PlanInvalid(f"The plan uses the name '{name}' twice; each part needs its own.")
    taken.add(name)


def _check_inputs(step: Step, usable: set[str]) -> None:
    if (step.gallery is Gallery.AGE_VARIANTS) != (step.age is not None):
        raise PlanInvalid(f"Step '{step.name}' must name an age for age_variants, and only then.")
    wanted = len(step.operation.pictures)
    if len(step.inputs) != wanted:
        raise PlanInvalid(
            f"Step '{step.name}' has {len(step.inputs)} inputs; "
            f"{step.operation.operation_type} takes {wanted}."
        )
    for name in step.inputs:
        if name not in usable:
            raise PlanInvalid(
                f"Step '{step.name}' takes '{name}', which is neither a picture of the plan "
                "nor the picture of an earlier step."
            )
