"""Restores nothing: the stand-in knows no expressions, so the picture stays as it is."""

from facefusion.processors.modules.face_editor.core import MODELS
from facefusion.processors.processor import Processor, unchanged

NEEDED = ("feature_extractor", "motion_extractor", "generator")


def models() -> tuple[str, ...]:
    """Return the three files of the editor's model that it shares."""
    return tuple(name for name in MODELS if name.endswith(NEEDED))


PROCESSOR = Processor(models, unchanged)
