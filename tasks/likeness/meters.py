"""What pictures that are there are measured with: no host and no GPU."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from blocks.configured import document_trust, open_image_store
from blocks.environment import Environment
from storycanvas.faces.errors import MeasuringFailed
from storycanvas.faces.measures.likeness import likeness_meter
from storycanvas.faces.measures.measure import LikenessMeter
from storycanvas.faces.measures.measuring import FaceMeter, face_meter
from storycanvas.faces.measures.weights import AGE, read_weights
from storycanvas.faces.pictures.image_store import ImageStore
from storycanvas.faces.sources.trust import Trust

T = TypeVar("T")


@dataclass(frozen=True)
class GalleryMeters:
    """Where pictures come from, and what measures them; safe to share between threads.

    Attributes:
        store: The image store.
        trust: Where the documents may lead.
        faces: Finds faces and reads ages.
        likeness: None where it is not installed.
        missing: What cannot be measured and why, in sentences.
    """

    store: ImageStore
    trust: Trust
    faces: FaceMeter
    likeness: LikenessMeter | None = None
    missing: tuple[str, ...] = ()


def installed_gallery_meters() -> GalleryMeters:
    """Find what is installed and configured."""
    environment = Environment()
    missing: list[str] = []
    likeness = _present("Likeness", likeness_meter, missing)
    _present("Age", lambda: read_weights(AGE), missing)
    return GalleryMeters(
        open_image_store(environment),
        document_trust(environment),
        face_meter(),
        likeness,
        tuple(missing),
    )


def _present(what: str, load: Callable[[], T], missing: list[str]) -> T | None:
    try:
        return load()
    except MeasuringFailed as error:
        missing.append(f"{what} not measured: {error}")
        return None
