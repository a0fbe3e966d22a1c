"""What recipes share: an enhancement around their own operations, an inspection before them."""

from storycanvas.faces.operations import (
    DetectOperation,
    EnhancementModel,
    EnhanceOperation,
    FaceOperation,
)
from storycanvas.faces.plan import Plan, PlanPicture, Step
from storycanvas.faces.preferences import Preferences


def enhancement(
    model: EnhancementModel, usual: EnhancementModel, chosen: Preferences
) -> tuple[FaceOperation, dict[str, str]]:
    """Resolve an enhancement and the sources of its values.

    Args:
        model: The model asked for.
        usual: The model that the recipe's form is filled with: it gives way to the preset and the
            character, any other model does not.
        chosen: Settings of a preset and of the character.
    """
    value = {"enhancement_model": model}
    if model is usual:
        return chosen.resolve(EnhanceOperation, fitted=value, explicit={})
    return chosen.resolve(EnhanceOperation, fitted={}, explicit=value)


def inspection(pictures: dict[str, str], preferences: Preferences | None = None) -> Plan:
    """Plan one step `detect <name>` for each picture, given as references by name."""
    operation, sources = (preferences or Preferences()).resolve(
        DetectOperation, fitted={}, explicit={}
    )
    return Plan(
        pictures=tuple(PlanPicture(name=name, reference=ref) for name, ref in pictures.items()),
        steps=tuple(
            Step(name=f"detect {name}", operation=operation, inputs=(name,), sources=sources)
            for name in pictures
        ),
    )
