"""What a job asks for becomes a pipeline: one operation, several ages, or a chain."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from storycanvas.faces.batch import BatchItem, picture_names
from storycanvas.faces.chain import Chain
from storycanvas.faces.plan import Plan, PlanPicture
from storycanvas.faces.preferences import Preferences
from storycanvas.faces.recipes.batch import item_step
from storycanvas.faces.recipes.chain import chain_pipeline
from storycanvas.faces.recipes.pipeline import Pipeline, RecipeInput
from storycanvas.faces.sources.trust import NamedBy

_SHORT_NAMES = {
    "image_url": "picture",
    "source_face_url": "source",
    "target_image_url": "target",
}


def single_operation(
    item: BatchItem, pictures: Mapping[str, str], preferences: Preferences | None = None
) -> Plan:
    """Plan one operation on its pictures; its result goes to the list of its kind.

    Args:
        item: The operation.
        pictures: A reference for each of its pictures, by name, in the order of its inputs.
        preferences: Settings of a preset, of the character and of the job.

    Raises:
        FaceError: It cannot be done as it is written.
    """
    step = item_step(item, item.operation_type, tuple(pictures), preferences or Preferences())
    named = [
        PlanPicture(name=name, reference=reference, label=name)
        for name, reference in pictures.items()
    ]
    return Plan(pictures=tuple(named), steps=(step,))


def single_pipeline(item: BatchItem) -> Pipeline:
    """Make the pipeline of one operation that a document asks for.

    Raises:
        FaceError: It cannot be done as it is written.
    """
    if item.fault is not None:
        raise item.fault

    def recipe(found: RecipeInput) -> Plan:
        return single_operation(item, found.pictures, found.preferences)

    names = [_SHORT_NAMES[name] for name in picture_names(item.operation_type)]
    single_operation(item, {name: name for name in names})  # told before a host is asked
    pictures = dict(zip(names, item.references, strict=True))
    return Pipeline(pictures, recipe, named_by=NamedBy.DOCUMENT)


@dataclass(frozen=True)
class ChainWork:
    """A chain on pictures, before the chain itself is known.

    Attributes:
        name: Of a saved chain, or its id.
        pictures: References by the chain's names.
        values: Values of its parameters by name.
    """

    name: str
    pictures: Mapping[str, str]
    values: Mapping[str, object]

    def pipeline(self, chain: Chain) -> Pipeline:
        """Make the pipeline, once the chain is found.

        Raises:
            ChainInvalid: A picture or a value does not fit.
            ChildAgeRefused: It shows an age below 10, which a document cannot allow.
        """
        made = chain_pipeline(chain, self.pictures, self.values, allow_child_ages=False)
        return replace(made, named_by=NamedBy.DOCUMENT)
