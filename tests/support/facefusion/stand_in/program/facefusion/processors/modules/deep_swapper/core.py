"""Never works: a stand-in checkout holds no weights for it."""

from facefusion import state_manager
from facefusion.processors.processor import Processor, unchanged


def models() -> tuple[str, ...]:
    """Return a file after the chosen model."""
    return (str(state_manager.get_item("deep_swapper_model")),)


PROCESSOR = Processor(models, unchanged)
