"""What a processor is."""

from collections.abc import Callable
from dataclasses import dataclass

from facefusion import inference_manager
from facefusion.types import Face
from facefusion.vision import Frame


@dataclass(frozen=True)
class Processor:
    """One way to change the faces of a picture.

    Attributes:
        models: Names the files of weights that the chosen model needs.
        work: Changes one face: (face, picture, source's face or None) to the new picture.
        needs_source: Whether there must be a picture with a face to take it from.
    """

    models: Callable[[], tuple[str, ...]]
    work: Callable[[Face, Frame, Face | None], Frame]
    needs_source: bool = False

    def get_inference_pool(self) -> None:
        """Load the weights of the chosen model; nothing where it has none."""
        inference_manager.load(self.models())


def unchanged(_face: Face, frame: Frame, _source: Face | None) -> Frame:
    """Do nothing: what a processor does whose effect the stand-in does not know."""
    return frame
