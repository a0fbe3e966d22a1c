"""A small engine for machines without a GPU: OpenCV on the CPU, deterministic, marked `preview`.

It shows what a pipeline does, in under a second, and does not pretend to be FaceFusion.
"""

from collections.abc import Mapping

from storycanvas.host.engines.preview.engine import PreviewEngine
from storycanvas.host.settings import HostSettings

__all__ = ["PreviewEngine", "build_engine"]


def build_engine(settings: HostSettings, environment: Mapping[str, str]) -> PreviewEngine:
    """Build the engine; it needs neither settings nor environment."""
    del settings, environment
    return PreviewEngine()
