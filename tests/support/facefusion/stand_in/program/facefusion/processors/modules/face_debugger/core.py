"""Draws nothing: the host looks for faces with this processor's options and never runs it."""

from facefusion.processors.processor import Processor, unchanged


def models() -> tuple[str, ...]:
    """Drawing needs no model of its own."""
    return ()


PROCESSOR = Processor(models, unchanged)
