"""What recipes share: choices of a model, an enhancement, names of pictures."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Literal, TypeVar

from storycanvas.faces.operations import (
    EnhancementModel,
    EnhanceOperation,
    FaceOperation,
    FaceSwapperModel,
)
from storycanvas.faces.preferences import Preferences

R = TypeVar("R")


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
    model: EnhancerChoice,
    usual: EnhancementModel,
    chosen: Preferences,
    named: Mapping[str, Any] = MappingProxyType({}),
) -> tuple[FaceOperation, dict[str, str]]:
    """Resolve an enhancement and the sources of its values.

    Args:
        model: A model is stronger than all other sources; `as preferred` asks those.
        usual: The recipe's own choice, which gives way to the character and the preset.
        chosen: Settings of a preset and of the character.
        named: Other values that are stronger than all sources.
    """
    if isinstance(model, EnhancementModel):
        explicit = {**named, "enhancement_model": model}
        return chosen.resolve(EnhanceOperation, fitted={}, explicit=explicit)
    return chosen.resolve(EnhanceOperation, fitted={"enhancement_model": usual}, explicit=named)


def numbered(name: str, references: Sequence[R]) -> dict[str, R]:
    """Name pictures `<name> 1` and so on; one alone has no number."""
    if len(references) == 1:
        return {name: references[0]}
    return {f"{name} {number}": reference for number, reference in enumerate(references, start=1)}
