"""The preview engine: which function does which operation."""

from collections.abc import Callable, Mapping, Sequence

from storycanvas.faces.contract import DetectedFace, Execution
from storycanvas.faces.errors import EngineFailed, NoFace
from storycanvas.faces.measures.ages import NetworkAge
from storycanvas.faces.measures.errors import WeightsChanged, WeightsMissing
from storycanvas.faces.measures.measure import Bytes, Floats
from storycanvas.faces.measures.weights import AGE, FACE_DETECTOR, FACE_MESH, read_weights
from storycanvas.faces.operations import (
    OPERATIONS,
    REFERENCE_IMAGE,
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
from storycanvas.host.engines.cancelling import current_cancellation
from storycanvas.host.engines.choosing import choose
from storycanvas.host.engines.engine import EngineHealth, EngineResult, EngineUnusable, Readiness
from storycanvas.host.engines.preview.ageing import aged
from storycanvas.host.engines.preview.compositing import enhanced, masked, swapped
from storycanvas.host.engines.preview.editing import edited
from storycanvas.host.engines.preview.faces import FaceFinder, distance, in_order
from storycanvas.host.engines.preview.frame import Face, Pixels, View, head_mask, lay_in
from storycanvas.host.engines.within_boxes import kept_outside

Change = Callable[[View, float], Floats]
"""Gives the new colours of a view, from it and the estimated age of its face."""


class PreviewEngine:
    """Does all six operations on the CPU, the same way every time.

    It has one detector, one swapper and one shape of mask, so `face_detector_model`,
    `face_detector_size`, `face_swapper_model` and `face_mask_types` change nothing.
    """

    name = "preview"
    version = "3"
    mode = "in-process"
    readiness: Readiness = "ok"
    health = EngineHealth(Execution(asked=("cpu",), used=("cpu",), device="CPU"))

    def __init__(self) -> None:
        _check_weights()
        self._finder = FaceFinder()
        self._ages = NetworkAge()

    def able(self) -> tuple[str, ...]:
        """Return all six operations."""
        return tuple(operation.path for operation in OPERATIONS)

    def models(self) -> tuple[str, ...]:
        """Return every model that an operation may ask for; all are served alike."""
        return (*EnhancementModel, *FaceSwapperModel)

    def run(self, operation: FaceOperation, pictures: Sequence[Picture]) -> EngineResult:
        """Do one operation; may be called from several threads."""
        fields = operation.picture_fields(len(pictures))
        if len(pictures) != len(fields):
            wanted = " and ".join(fields)
            raise EngineFailed(f"Expected the pictures {wanted}, got {len(pictures)} pictures.")
        pixels = Pixels.read(pictures[-1])
        faces = self._faces(operation, pixels)
        ages = {face: self._ages.read(pixels.rgb, face.seen) for face in faces}
        named = dict(zip(fields, pictures, strict=True))
        distances = self._distances(operation, named.get(REFERENCE_IMAGE), pixels.rgb, faces)
        seen = tuple(
            _seen(face, ages[face], distances[place] if distances else None)
            for place, face in enumerate(faces)
        )
        age = seen[0].estimated_age if seen else None
        if not faces and operation.makes_picture:
            raise _no_face(operation.pictures[-1])
        chosen = self._chosen(operation, distances, seen) if faces else ()
        if not operation.makes_picture:
            return EngineResult(None, seen, age, execution=self.health.execution, chosen=chosen)
        chosen_ages = {faces[place]: ages[faces[place]] for place in chosen}
        rgb = self._changed(operation, named, pixels.rgb, chosen_ages)
        result = EngineResult(
            pixels.recoloured(rgb), seen, age, execution=self.health.execution, chosen=chosen
        )
        return kept_outside(operation, result, pictures[-1])

    def load(self) -> None:
        """Do nothing: it is always ready, with whatever `--preload` names."""

    def unload(self) -> None:
        """Do nothing: it has no models, so there is no memory to give back."""

    def close(self) -> None:
        """Do nothing: no process was started."""

    def _faces(self, operation: FaceOperation, pixels: Pixels) -> list[Face]:
        found = self._finder.find(pixels.rgb, operation.face_detector_angles)
        return in_order(found, operation.face_selector_order)

    def _chosen(
        self,
        operation: FaceOperation,
        distances: Sequence[float] | None,
        seen: Sequence[DetectedFace],
    ) -> tuple[int, ...]:
        """Choose faces; without a reference picture one face too few is safer than one too many."""
        nearest = operation.reference_face_distance
        like = None if distances is None else [distance < nearest for distance in distances]
        return choose(operation, seen, like, lambda place: (place,))

    def _distances(
        self, operation: FaceOperation, reference: Picture | None, rgb: Bytes, faces: list[Face]
    ) -> list[float] | None:
        """Measure how unlike the faces are to the reference picture's; None without one."""
        if reference is None or not faces:
            return None
        shown = Pixels.read(reference)
        known = self._faces(operation, shown)
        if not known:
            raise _no_face(REFERENCE_IMAGE)
        return [distance(face, rgb, known[0], shown.rgb) for face in faces]

    def _changed(
        self,
        operation: FaceOperation,
        pictures: Mapping[str, Picture],
        rgb: Bytes,
        ages: dict[Face, float],
    ) -> Bytes:
        if isinstance(operation, MaskOperation):
            return masked(rgb, list(ages))
        change, blend = self._change(operation, pictures)
        result = rgb.copy()
        for face, age in ages.items():
            current_cancellation().check()
            view = View.around(face, result)
            lay_in(result, view, change(view, age), head_mask(view), blend)
        return result

    def _change(
        self, operation: FaceOperation, pictures: Mapping[str, Picture]
    ) -> tuple[Change, float]:
        match operation:
            case EnhanceOperation(enhancement_model=model, face_enhancer_blend=blend):
                return lambda view, _: enhanced(view, model), blend
            case AgeAdjustOperation(target_age=target, age_adjustment_blend=blend):
                return lambda view, age: aged(view, target - age), blend
            case SwapOperation():
                return self._swap(operation, pictures[operation.pictures[0]]), 1.0
            case EditOperation():
                return lambda view, _: edited(view, operation), 1.0
        raise EngineFailed(f"The preview engine cannot do {type(operation).__name__}.")

    def _swap(self, operation: SwapOperation, picture: Picture) -> Change:
        source = Pixels.read(picture)
        faces = self._faces(operation, source)
        if not faces:
            raise _no_face(operation.pictures[0])
        boost = operation.face_swapper_pixel_boost
        side = int(boost.partition("x")[0]) if boost else None
        return lambda view, _: swapped(view, faces[0], source.rgb, side)


def _check_weights() -> None:
    """Raise EngineUnusable where weights are missing; networks are built at the first face."""
    try:
        for weights in (FACE_DETECTOR, FACE_MESH, AGE):
            read_weights(weights)
    except (WeightsMissing, WeightsChanged) as error:
        raise EngineUnusable(f"The preview engine cannot find faces: {error}") from error


def _seen(face: Face, age: float, unlike: float | None) -> DetectedFace:
    x, y, width, height = face.box
    score = round(face.score, 3)
    return DetectedFace(
        x=x,
        y=y,
        width=width,
        height=height,
        score=score,
        estimated_age=age,
        yaw=face.seen.yaw,
        pitch=face.seen.pitch,
        roll=face.seen.roll,
        reference_distance=None if unlike is None else round(max(0.0, unlike), 4),
    )


def _no_face(picture: str) -> NoFace:
    return NoFace(
        f"No face was found in {picture}; send a picture with an upright face seen from the front."
    )
