"""What recipes share: choices of a model, an enhancement, an inspection of the inputs."""

from enum import StrEnum
from typing import Literal

from storycanvas.faces.operations import (
    DetectOperation,
    EnhancementModel,
    EnhanceOperation,
    FaceOperation,
    FaceSwapperModel,
)
from storycanvas.faces.plan import Plan, PlanPicture, Step
from storycanvas.faces.preferences import Preferences


class Choice(StrEnum):
    """What a form offers beside models."""

    AS_PREFERRED = "as preferred"
    NONE = "none"


EnhancerChoice = EnhancementModel | Choice | None
"""A model, which is explicit, or what preset, character and recipe prefer, or no enhancement.

None is `none`: parameters of earlier runs and schedules hold it.
"""

SwapperChoice = FaceSwapperModel | Literal[Choice.AS_PREFERRED]
"""A model, which is explicit, or what preset and character prefer."""


def wants_enhancement(model: EnhancerChoice) -> bool:
    """Check that an enhancement is not left out."""
    return model not in (Choice.NONE, None)


def enhancement(
    model: EnhancerChoice, usual: EnhancementModel, chosen: Preferences
) -> tuple[FaceOperation, dict[str, str]]:
    """Resolve an enhancement and the sources of its values.

    Args:
        model: A model is stronger than all other sources; `as preferred` asks those.
        usual: The recipe's own choice, which gives way to the character and the preset.
        chosen: Settings of a preset and of the character.
    """
    if isinstance(model, EnhancementModel):
        explicit = {"enhancement_model": model}
        return chosen.resolve(EnhanceOperation, fitted={}, explicit=explicit)
    return chosen.resolve(EnhanceOperation, fitted={"enhancement_model": usual}, explicit={})


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
