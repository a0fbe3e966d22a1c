"""The translation of our operations to FaceFusion's command line.

It uses only options that 3.5.4, 3.6.1, 3.7.1 and 3.8.x all have, and writes every option that
decides a result, defaults too, so that an operator's `facefusion.ini` cannot change it. Options
that some of them lack (no gender, no race, no face tracker) keep their defaults because the engine
passes a `--config-path` that does not exist.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import singledispatch

from storycanvas.faces.operations import (
    AgeAdjustOperation,
    DetectOperation,
    EditOperation,
    EnhanceOperation,
    FaceMaskType,
    FaceOperation,
    FaceSelectorMode,
    MaskedOperation,
    MaskOperation,
    SwapOperation,
)
from storycanvas.host.engines.facefusion.translation.tables import (
    ALL_MASKS,
    BASE,
    BOX,
    BOX_AND_OCCLUSION,
    DETECTORS,
    MASKS,
    SELECTOR_MODES,
    SUBSTITUTES,
    Options,
    editor_steps,
    enhancer_blend,
    nearest,
)

_MAX_YEARS = 100


@dataclass(frozen=True)
class Part:
    """A part of a translation: options, what they change of what was asked, and models."""

    options: Options
    used: Mapping[str, str | int | float] = field(default_factory=dict)
    models: tuple[str, ...] = ()


@singledispatch
def processor_options(
    operation: FaceOperation,
    direction: int | None,  # noqa: ARG001 — of ageing alone
) -> Part:
    """Return the options of the processor that does an operation.

    The direction is for ageing alone: years to add, -100 to 100.
    """
    raise ValueError(f"FaceFusion cannot do {type(operation).__name__}; ask for one of the six.")


@processor_options.register
def _enhance(operation: EnhanceOperation, _: int | None) -> Part:
    model = str(operation.enhancement_model)
    blend = enhancer_blend(operation)
    used = (
        {} if blend / 100 == operation.face_enhancer_blend else {"face_enhancer_blend": blend / 100}
    )
    options = {
        "--processors": ("face_enhancer",),
        "--face-enhancer-model": (model,),
        "--face-enhancer-blend": (str(blend),),
        "--face-enhancer-weight": ("0.50",),
    }
    return _masked(Part(options, used, (model,)), operation, BOX_AND_OCCLUSION, BOX)


@processor_options.register
def _age(operation: AgeAdjustOperation, direction: int | None) -> Part:
    if direction is None or abs(direction) > _MAX_YEARS:
        raise ValueError(
            f"Ageing with the direction {direction}; give the years to add, -100 to 100."
        )
    options = {
        "--processors": ("age_modifier",),
        "--age-modifier-model": ("fran",),
        "--age-modifier-direction": (str(direction),),
    }
    part = Part(options, {"age_modifier_direction": direction}, ("fran",))
    return _masked(part, operation, BOX_AND_OCCLUSION, BOX)


@processor_options.register
def _swap(operation: SwapOperation, _: int | None) -> Part:
    asked = operation.face_swapper_model
    side = asked.rpartition("_fp16")[0] or asked
    own = side.rpartition("_")[2]
    model, usual = SUBSTITUTES.get(asked, (str(asked), f"{own}x{own}"))
    boost = operation.face_swapper_pixel_boost or usual
    used = {"face_swapper_pixel_boost": boost}
    if model != asked:
        used["face_swapper_model"] = model
    options = {
        "--processors": ("face_swapper",),
        "--face-swapper-model": (model,),
        "--face-swapper-pixel-boost": (boost,),
        "--face-swapper-weight": ("0.50",),
    }
    differs = model != asked or operation.face_swapper_pixel_boost is not None
    return _masked(Part(options, used if differs else {}, (model,)), operation, ALL_MASKS)


@processor_options.register
def _edit(operation: EditOperation, _: int | None) -> Part:
    steps = editor_steps(operation)
    values = {
        f"--{name.replace('_', '-')}": (f"{number * 5 / 100:.2f}",)
        for name, number in steps.items()
    }
    used = {
        name: number * 5
        for name, number in steps.items()
        if number * 5 != (getattr(operation, name) or 0)
    }
    options = {"--processors": ("face_editor",), "--face-editor-model": ("live_portrait",)}
    return _masked(Part(options | values, used, ("live_portrait",)), operation, BOX, BOX)


@processor_options.register
def _mask(operation: MaskOperation, _: int | None) -> Part:
    return _masked(_debugger("face-mask"), operation, ALL_MASKS)


@processor_options.register
def _detect(_operation: DetectOperation, _: int | None) -> Part:
    return _debugger("bounding-box")


def _debugger(item: str) -> Part:
    return Part({"--processors": ("face_debugger",), "--face-debugger-items": (item,)})


def _masked(
    part: Part,
    operation: MaskedOperation,
    known: frozenset[FaceMaskType],
    always: frozenset[FaceMaskType] = frozenset(),
) -> Part:
    """Add the masks: those asked for that a processor knows, and those it always applies."""
    asked = frozenset(operation.face_mask_types)
    applied = asked & known | always
    names = tuple(str(kind) for kind in FaceMaskType if kind in applied)
    used = {"face_mask_types": " ".join(names)} if applied != asked else {}
    options = {"--face-mask-types": names, **MASKS}
    return Part({**part.options, **options}, {**part.used, **used}, part.models)


@dataclass(frozen=True)
class FacesOfRun:
    """Which faces one run works on, where that differs from the operation's own choice.

    Attributes:
        ages: Start and end of FaceFusion's age filter, years 0 to 100, the end not included; two
            zeros are no filter (FaceFusion 3.5.4 to 3.8.1).
        kept: Whether the worker keeps the chosen faces only, so that all it has are meant.
        reference_position: Place of the reference face in selector order.
        reference_distance: A face nearer than this to the reference face is worked on as well,
            0.05 to 1 in steps of 0.05; None for the operation's own.
    """

    ages: tuple[int, int] = (0, 0)
    kept: bool = False
    reference_position: int = 0
    reference_distance: float | None = None


@dataclass(frozen=True)
class Translation:
    """An operation as FaceFusion takes it.

    Attributes:
        arguments: What follows `headless-run`, without paths, execution, memory and log options.
        used: What is really used where that differs from what was asked: in our units by our
            names, or by FaceFusion's own option names where we have none.
        models: FaceFusion's names of the models that do the work, the detector's last.
    """

    arguments: tuple[str, ...]
    used: Mapping[str, str | int | float]
    models: tuple[str, ...]


def translate(
    operation: FaceOperation, *, direction: int | None = None, faces: FacesOfRun | None = None
) -> Translation:
    """Turn an operation into FaceFusion's command line.

    Args:
        operation: Any of the six.
        direction: Years to add to a face's age, -100 to 100; `age_adjust` needs it.
        faces: What this run selects in place of the operation's own choice.
    """
    parts = (
        processor_options(operation, direction),
        _finding(operation),
        _choosing(operation, faces or FacesOfRun()),
        Part(BASE),
    )
    options = [option for part in parts for option in part.options.items()]
    return Translation(
        tuple(text for name, values in options for text in (name, *values)),
        {name: value for part in parts for name, value in part.used.items()},
        tuple(model for part in parts for model in part.models),
    )


def models_of(operation: FaceOperation) -> tuple[str, ...]:
    """Return FaceFusion's names of the models that an operation needs, the detector's last."""
    return translate(operation, direction=0).models


def must_change(operation: FaceOperation, direction: int | None = None) -> bool:
    """Return whether a face that FaceFusion worked on cannot look the same afterwards.

    The values really used count: a blend of 0.004 is 0 in FaceFusion. `mask` and `detect` change
    no face. The direction is the one given to `translate`.
    """
    match operation:
        case EnhanceOperation():
            return enhancer_blend(operation) > 0
        case EditOperation():
            return any(editor_steps(operation).values())
        case AgeAdjustOperation():
            return bool(direction)
        case _:
            return isinstance(operation, SwapOperation)


def _finding(operation: FaceOperation) -> Part:
    asked = operation.face_detector_model
    model = DETECTORS[asked]
    options = {
        "--face-detector-model": (model,),
        "--face-detector-size": (str(operation.face_detector_size),),
        "--face-detector-angles": tuple(str(angle) for angle in operation.face_detector_angles),
    }
    return Part(options, {"face_detector_model": model} if model != asked else {}, (model,))


def reference_distance(operation: FaceOperation) -> float:
    """Return the distance that FaceFusion really uses, 0.05 to 1 in steps of 0.05."""
    return max(1, nearest(20 * operation.reference_face_distance)) / 20


def _choosing(operation: FaceOperation, faces: FacesOfRun) -> Part:
    mode = SELECTOR_MODES[operation.face_selector_mode]
    used: dict[str, str | int | float] = {}
    if mode != operation.face_selector_mode:
        used["face_selector_mode"] = mode
    distance = faces.reference_distance or reference_distance(operation)
    if distance != operation.reference_face_distance:
        used["reference_face_distance"] = distance
    options = {
        "--face-selector-mode": (SELECTOR_MODES[FaceSelectorMode.MANY] if faces.kept else mode,),
        "--face-selector-order": (str(operation.face_selector_order),),
        "--face-selector-age-start": (str(faces.ages[0]),),
        "--face-selector-age-end": (str(faces.ages[1]),),
        "--reference-face-position": (str(faces.reference_position),),
        "--reference-face-distance": (f"{distance:.2f}",),
    }
    return Part(options, used)
