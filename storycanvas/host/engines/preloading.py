"""What `--preload` may name: an operation with its default models, or a model by its own name."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from storycanvas.faces.operations import (
    OPERATIONS,
    AgeAdjustOperation,
    DetectOperation,
    EditOperation,
    EnhancementModel,
    EnhanceOperation,
    FaceDetectorModel,
    FaceOperation,
    FaceSwapperModel,
    SwapOperation,
)

_AGED = 50
"""An age that no model depends on."""


def _choices() -> Iterator[tuple[str, FaceOperation]]:
    for kind in OPERATIONS:
        given = {"target_age": _AGED} if kind is AgeAdjustOperation else {}
        yield kind.model_fields["operation_type"].default, kind.model_validate(given)
    for enhancer in EnhancementModel:
        yield enhancer, EnhanceOperation(enhancement_model=enhancer)
    for swapper in FaceSwapperModel:
        yield swapper, SwapOperation(face_swapper_model=swapper)
    for detector in FaceDetectorModel:
        yield detector, DetectOperation(face_detector_model=detector)
    yield "fran", AgeAdjustOperation(target_age=_AGED)
    yield "live_portrait", EditOperation()


PRELOADS: Mapping[str, FaceOperation] = MappingProxyType(
    {str(name): operation for name, operation in _choices()}
)
"""What has to be ready, by name: whatever this operation needs."""


def parse_preload(value: object) -> object:
    """Read `NAME,NAME`, each once, in the order given.

    Raises:
        ValueError: There is no such name; the message has those that there are.
    """
    if not isinstance(value, str):
        return value
    names = tuple(dict.fromkeys(part.strip() for part in value.split(",") if part.strip()))
    unknown = [name for name in names if name not in PRELOADS]
    if unknown:
        raise ValueError(
            f"{unknown[0]} is neither an operation nor a model; name some of {', '.join(PRELOADS)}"
        )
    return names
