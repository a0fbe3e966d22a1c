"""The enhancement that recipes add before or after their own operations."""

from storycanvas.faces.operations import EnhancementModel, EnhanceOperation, FaceOperation
from storycanvas.faces.preferences import Preferences


def enhancement(
    model: EnhancementModel, usual: EnhancementModel, chosen: Preferences
) -> tuple[FaceOperation, dict[str, str]]:
    """Resolve an enhancement; a named model is stronger than the one a form is filled with.

    Args:
        model: The model asked for.
        usual: The model that the recipe takes by default; it gives way to the
            preset and the character, any other model does not.
        chosen: Settings of a preset and of the character.

    Returns:
        The operation and the sources of its values.

    Raises:
        OutOfRange: A preferred setting is out of its range.
    """
    value = {"enhancement_model": model}
    if model is usual:
        return chosen.resolve(EnhanceOperation, fitted=value, explicit={})
    return chosen.resolve(EnhanceOperation, fitted={}, explicit=value)
