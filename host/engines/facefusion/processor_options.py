"""What each operation says to its FaceFusion processor."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import singledispatch

from faces.operations import (
    AgeAdjustOperation,
    DetectOperation,
    EditOperation,
    EnhanceOperation,
    FaceMaskType,
    FaceOperation,
    MaskedOperation,
    MaskOperation,
    SwapOperation,
)
from host.engines.facefusion.option_tables import (
    ALL_MASKS,
    BOX,
    BOX_AND_OCCLUSION,
    MASKS,
    SUBSTITUTES,
    Options,
)
from host.engines.facefusion.units import editor_steps, enhancer_blend

_MOST_YEARS = 100


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
    """Give the options of the processor that does an operation.

    Args:
        operation: Any of the six.
        direction: Years to add, -100 to 100; ageing only.

    Raises:
        ValueError: There is no processor for it, or ageing has no direction or one out of range.
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
    if direction is None or abs(direction) > _MOST_YEARS:
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
    model, boost = SUBSTITUTES.get(asked, (str(asked), f"{own}x{own}"))
    used = {"face_swapper_model": model, "face_swapper_pixel_boost": boost}
    options = {
        "--processors": ("face_swapper",),
        "--face-swapper-model": (model,),
        "--face-swapper-pixel-boost": (boost,),
        "--face-swapper-weight": ("0.50",),
    }
    part = Part(options, used if asked in SUBSTITUTES else {}, (model,))
    return _masked(part, operation, ALL_MASKS)


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
