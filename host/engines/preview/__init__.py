"""A small engine for machines without a GPU: OpenCV on the CPU, deterministic, marked `preview`.

It shows what a pipeline does, in under a second, and does not pretend to be FaceFusion.
"""

from host.engines.preview.engine import PreviewEngine

__all__ = ["PreviewEngine"]
