"""A batch becomes a plan: a step for each item that can be done, on pictures that they share."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from storycanvas.faces.batch import BatchItem
from storycanvas.faces.chain import NO_GALLERY, GalleryName
from storycanvas.faces.errors import BadField, FaceError
from storycanvas.faces.operations import AgeAdjustOperation, FaceOperation
from storycanvas.faces.plan import Gallery, Plan, PlanPicture, Step
from storycanvas.faces.preferences import Preferences
from storycanvas.faces.recipes.age_progression import refuse_child_ages
from storycanvas.faces.recipes.written import USUAL_GALLERIES, written_operation
from storycanvas.faces.settings import FaceSettings
from storycanvas.faces.sources.trust import NamedBy

BY_OPERATION: Literal["by operation"] = "by operation"
BatchGallery = Literal["by operation"] | GalleryName
"""A list for all results, none, or for each that of its operation."""


MAX_LABEL = 24
"""Characters that a sheet has room for below a picture; a longer file name is no name."""


@dataclass(frozen=True)
class BatchPlan:
    """What is done of a batch.

    Attributes:
        plan: A step for each item that can be done, in order.
        refused: Why the others cannot, by the items' names.
    """

    plan: Plan
    refused: Mapping[str, FaceError]


def batch_plan(
    items: Sequence[BatchItem],
    *,
    reference_image: str | None,
    preferences: Preferences | None = None,
    settings: FaceSettings | None = None,
    gallery: BatchGallery = BY_OPERATION,
    allow_child_ages: bool = False,
    named_by: NamedBy = NamedBy.PERSON,
) -> BatchPlan:
    """Plan the items of a batch; one that does not fit is refused alone.

    Args:
        items: What is to be done.
        reference_image: The character's first; None if there is none.
        preferences: Settings of a preset, of the character and of the form.
        settings: What a person named in the form.
        gallery: Where results go.
        allow_child_ages: Whether ages below 10 may be made.
        named_by: Who named all pictures, the character's own and that of the settings included.
    """
    made = _Batch(reference_image, preferences or Preferences())
    chosen = settings or FaceSettings()
    for item in items:
        try:
            step = made.step(item, gallery, allow_child_ages=allow_child_ages)
            made.add(step, chosen)
        except FaceError as error:
            made.refused[item.name] = error
    plan = Plan(pictures=tuple(made.used.values()), steps=tuple(made.steps))
    return BatchPlan(plan.written_by(named_by), made.refused)


def item_step(
    item: BatchItem,
    name: str,
    inputs: tuple[str, ...],
    preferences: Preferences,
    *,
    gallery: BatchGallery = BY_OPERATION,
    allow_child_ages: bool = False,
) -> Step:
    """Plan an item without the settings of the form that depend on its place in a plan.

    Raises:
        FaceError: It does not fit.
    """
    if item.fault is not None:
        raise item.fault
    operation, sources = written_operation(item.operation_type, item.fields, preferences)
    age = operation.target_age if isinstance(operation, AgeAdjustOperation) else None
    refuse_child_ages([] if age is None else [age], allow_child_ages=allow_child_ages)
    shown_in = _gallery(operation, item.operation_type, gallery)
    return Step(
        name=name,
        operation=operation,
        inputs=inputs,
        gallery=shown_in,
        age=age if shown_in is Gallery.AGE_VARIANTS else None,
        label=name if operation.makes_picture else "",
        sources=sources,
    )


class _Batch:
    def __init__(self, reference_image: str | None, preferences: Preferences) -> None:
        self._reference_image = reference_image
        self._preferences = preferences
        self._known: dict[str, PlanPicture] = {}
        self.used: dict[str, PlanPicture] = {}
        self.steps: list[Step] = []
        self.refused: dict[str, FaceError] = {}

    def step(self, item: BatchItem, gallery: BatchGallery, *, allow_child_ages: bool) -> Step:
        """Plan an item on its pictures, unless it does not fit."""
        return item_step(
            item,
            item.name,
            tuple(self._picture(reference).name for reference in item.references),
            self._preferences,
            gallery=gallery,
            allow_child_ages=allow_child_ages,
        )

    def _picture(self, reference: str | None) -> PlanPicture:
        """Name a picture, the same one once."""
        address = reference or self._reference_image
        if address is None:
            raise BadField(
                "It names no picture, and there is no character whose reference image could be "
                "taken instead."
            )
        name = f"picture {len(self._known)}"
        file = re.split(r"[?#]", address)[0].rpartition("/")[2]  # the rest may hold a secret
        label = file if 0 < len(file) <= MAX_LABEL else name
        picture = PlanPicture(name=name, reference=address, label=label, required=False)
        return self._known.setdefault(address, picture)

    def add(self, step: Step, settings: FaceSettings) -> None:
        """Add a step with the settings of the form, unless they do not fit together."""
        known = {picture.name: picture for picture in self._known.values()}
        alone = Plan(pictures=tuple(known[n] for n in dict.fromkeys(step.inputs)), steps=(step,))
        alone = settings.apply(alone, givers=())
        self.steps += alone.steps
        self.used |= {picture.name: picture for picture in alone.pictures}


def _gallery(
    operation: FaceOperation, operation_type: str, gallery: BatchGallery
) -> Gallery | None:
    if gallery == BY_OPERATION:
        return USUAL_GALLERIES.get(operation_type)
    if gallery == NO_GALLERY or not operation.makes_picture:
        return None
    named = Gallery(gallery)
    if named is Gallery.AGE_VARIANTS and not isinstance(operation, AgeAdjustOperation):
        raise BadField(f"gallery: age_variants needs an age, and {operation_type} has none.")
    return named
