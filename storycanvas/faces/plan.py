"""Step and Plan: which operation on which picture, after which."""

from enum import StrEnum
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from storycanvas.faces.errors import PlanInvalid
from storycanvas.faces.operations import Age, FaceBox, Operation
from storycanvas.faces.sources.trust import NamedBy


class Gallery(StrEnum):
    """Lists of a character's `facefusion_output_gallery` (docs/schema.md, "Characters")."""

    ENHANCED_FACES = "enhanced_faces"
    AGE_VARIANTS = "age_variants"
    SWAPPED_FACES = "swapped_faces"
    EDITED_EXPRESSIONS = "edited_expressions"
    CUSTOM_OUTPUTS = "custom_outputs"


LongestSide = Annotated[int, Field(ge=256, le=8192)]
"""Pixels of width and height to which a picture may be reduced."""


class _PlanPart(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PlanPicture(_PlanPart):
    """A picture that comes from outside of the plan.

    Attributes:
        name: What steps and messages call it, such as `base`.
        reference: Its http(s) URL, store path or local path.
        label: What the contact sheet writes below it; empty leaves it out.
        named_by: Who gave the reference; a document may name less than a person.
        required: Whether the plan is refused without it; else the steps that need it are skipped.
        longest_side: Pixels to which a larger picture is reduced before it is hashed; None keeps
            every pixel.
        cut: Left, top, width and height of the part that is used, once it is reduced; None is all.
    """

    name: str = Field(min_length=1)
    reference: str = Field(min_length=1)
    label: str = ""
    named_by: NamedBy = NamedBy.PERSON
    longest_side: LongestSide | None = None
    cut: FaceBox | None = None
    required: bool = True


class Step(_PlanPart):
    """One operation with its inputs.

    Attributes:
        name: What reports, task runs and later steps call it; unique in its plan.
        operation: What to do.
        inputs: Names of plan pictures or earlier steps, in the order of `operation.picture_fields`.
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

    Attributes:
        pictures: What comes from outside.
        steps: What is done.
        base_age: Years from which jumps of age were planned, of the first picture.
        warnings: What a person should know of what was planned.
        about: Which picture or step a warning is about, by its sentence; others are about none.
        notes: What matters less.
        columns: Cells of a row of its contact sheet, the picture before included; on a page of
            Prefect's UI more than three are too small to judge a face by, but not to compare.

    Raises:
        PlanInvalid: A name is used twice, an input is unknown, comes later or makes no picture,
            or a step has too many or too few inputs.
    """

    pictures: tuple[PlanPicture, ...]
    steps: tuple[Step, ...]
    base_age: Age | None = None
    warnings: tuple[str, ...] = ()
    about: dict[str, str] = Field(default_factory=dict)
    notes: tuple[str, ...] = ()
    columns: int = Field(3, ge=1, le=12)

    def reduced_to(self, longest_side: int | None) -> "Plan":
        """Reduce all its pictures first that say nothing of their size; None leaves them."""
        pictures = tuple(
            picture.model_copy(update={"longest_side": picture.longest_side or longest_side})
            for picture in self.pictures
        )
        return self.model_copy(update={"pictures": pictures})

    def written_by(self, named_by: NamedBy) -> "Plan":
        """Trust none of its pictures more than what wrote it: a document may name less."""
        if named_by is NamedBy.PERSON:
            return self
        pictures = [picture.model_copy(update={"named_by": named_by}) for picture in self.pictures]
        return self.model_copy(update={"pictures": tuple(pictures)})

    def origins(self) -> dict[str, str]:
        """Find the picture of the plan that each step changes; of a swap it is the target."""
        origins: dict[str, str] = {}
        for step in self.steps:
            origins[step.name] = origins.get(step.inputs[-1], step.inputs[-1])
        return origins

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
    if len(step.inputs) not in {wanted, wanted + 1}:  # a reference picture comes before them
        raise PlanInvalid(
            f"Step '{step.name}' has {len(step.inputs)} inputs; "
            f"{step.operation.operation_type} takes {wanted}, or {wanted + 1} with a reference "
            "picture before them."
        )
    for name in step.inputs:
        if name not in usable:
            raise PlanInvalid(
                f"Step '{step.name}' takes '{name}', which is neither a picture of the plan "
                "nor the picture of an earlier step."
            )
