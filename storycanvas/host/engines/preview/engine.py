"""The preview engine: which function does which operation."""

from collections.abc import Callable, Sequence

from storycanvas.faces.contract import DetectedFace
from storycanvas.faces.errors import EngineFailed, NoFace
from storycanvas.faces.operations import (
    OPERATIONS,
    AgeAdjustOperation,
    EditOperation,
    EnhancementModel,
    EnhanceOperation,
    FaceOperation,
    FaceSwapperModel,
    MaskOperation,
    SwapOperation,
)
from storycanvas.faces.pictures.reading import Picture
from storycanvas.host.engines.engine import EngineResult, Readiness
from storycanvas.host.engines.preview.ageing import aged
from storycanvas.host.engines.preview.compositing import enhanced, masked, swapped
from storycanvas.host.engines.preview.editing import edited
from storycanvas.host.engines.preview.faces import FaceFinder, estimated_age, in_order, selected
from storycanvas.host.engines.preview.frame import (
    Bytes,
    Face,
    Floats,
    Pixels,
    View,
    head_mask,
    lay_in,
)

Change = Callable[[View, float], Floats]
"""Gives the new colours of a view, from it and the estimated age of its face."""


class PreviewEngine:
    """Does all six operations on the CPU, the same way every time.

    It has one detector, one swapper and one shape of mask, so `face_detector_model`,
    `face_swapper_model` and `face_mask_types` change nothing.
    """

    name = "preview"
    version = "1"
    mode = "in-process"
    readiness: Readiness = "ok"

    def __init__(self) -> None:
        self._finder = FaceFinder()

    def able(self) -> tuple[str, ...]:
        """Return all six operations."""
        return tuple(operation.path for operation in OPERATIONS)

    def models(self) -> tuple[str, ...]:
        """Return every model that an operation may ask for; all are served alike."""
        return (*EnhancementModel, *FaceSwapperModel)

    def run(self, operation: FaceOperation, pictures: Sequence[Picture]) -> EngineResult:
        """Do one operation; may be called from several threads."""
        if len(pictures) != len(operation.pictures):
            wanted = " and ".join(operation.pictures)
            raise EngineFailed(f"Expected the pictures {wanted}, got {len(pictures)} pictures.")
        pixels = Pixels.read(pictures[-1])
        faces = self._faces(operation, pixels)
        ages = {face: estimated_age(View.around(face, pixels.rgb)) for face in faces}
        seen = tuple(_seen(face, age) for face, age in ages.items())
        age = seen[0].estimated_age if seen else None
        if not operation.makes_picture:
            return EngineResult(None, seen, age)
        if not faces:
            raise _no_face(operation.pictures[-1])
        chosen = {face: ages[face] for face in selected(faces, operation)}
        rgb = self._changed(operation, pictures, pixels.rgb, chosen)
        return EngineResult(pixels.recoloured(rgb), seen, age)

    def close(self) -> None:
        """Do nothing: no process was started."""

    def _faces(self, operation: FaceOperation, pixels: Pixels) -> list[Face]:
        side = int(operation.face_detector_size.partition("x")[0])
        return in_order(self._finder.find(pixels.rgb, side), operation.face_selector_order)

    def _changed(
        self,
        operation: FaceOperation,
        pictures: Sequence[Picture],
        rgb: Bytes,
        ages: dict[Face, float],
    ) -> Bytes:
        if isinstance(operation, MaskOperation):
            return masked(rgb, list(ages))
        change, blend = self._change(operation, pictures)
        result = rgb.copy()
        for face, age in ages.items():
            view = View.around(face, result)
            lay_in(result, view, change(view, age), head_mask(view), blend)
        return result

    def _change(
        self, operation: FaceOperation, pictures: Sequence[Picture]
    ) -> tuple[Change, float]:
        match operation:
            case EnhanceOperation(enhancement_model=model, face_enhancer_blend=blend):
                return lambda view, _: enhanced(view, model), blend
            case AgeAdjustOperation(target_age=target, age_adjustment_blend=blend):
                return lambda view, age: aged(view, target - age), blend
            case SwapOperation():
                return self._swap(operation, pictures[0]), 1.0
            case EditOperation():
                return lambda view, _: edited(view, operation), 1.0
        raise EngineFailed(f"The preview engine cannot do {type(operation).__name__}.")

    def _swap(self, operation: SwapOperation, picture: Picture) -> Change:
        source = Pixels.read(picture)
        faces = self._faces(operation, source)
        if not faces:
            raise _no_face(operation.pictures[0])
        return lambda view, _: swapped(view, faces[0], source.rgb)


def _seen(face: Face, age: float) -> DetectedFace:
    x, y, width, height = face.box
    score = round(face.score, 3)
    return DetectedFace(x=x, y=y, width=width, height=height, score=score, estimated_age=age)


def _no_face(picture: str) -> NoFace:
    return NoFace(
        f"No face was found in {picture}; send a picture with an upright face seen from the front."
    )
