"""The translation of our operations to FaceFusion's command line.

Only options that 3.5.4, 3.6.1, 3.7.1 and 3.8.x all have are used. All that decides a result is
said, defaults too, so that an operator's `facefusion.ini` cannot change it. What cannot be said
on the command line of all of them (no gender, no race, no face tracker) is for whoever starts
FaceFusion, by a `--config-path` that holds nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from faces.operations import (
    AgeAdjustOperation,
    EditOperation,
    EnhanceOperation,
    FaceOperation,
    FaceSelectorMode,
    SwapOperation,
)
from host.engines.facefusion.option_tables import BASE, DETECTORS, SELECTOR_MODES
from host.engines.facefusion.processor_options import Part, processor_options
from host.engines.facefusion.units import editor_steps, enhancer_blend

_DISTANCE = 0.3


@dataclass(frozen=True)
class FacesOfRun:
    """Which faces one run works on, where that is not what the operation says.

    Attributes:
        ages: Start and end of FaceFusion's age filter, years 0 to 100, the end not included; two
            zeros are no filter (FaceFusion 3.5.4 to 3.8.1).
        mode: Selector mode in place of the operation's.
        reference_distance: A face nearer than this to the reference face is worked on as well,
            0.05 to 1 in steps of 0.05; FaceFusion's own is 0.3.
    """

    ages: tuple[int, int] = (0, 0)
    mode: FaceSelectorMode | None = None
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
        direction: Years to add to a face's age, -100 to 100; for `age_adjust`, and needed there.
        faces: What this run selects in place of what the operation says.

    Raises:
        ValueError: `age_adjust` has no direction, or one out of range.
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


def must_change(operation: FaceOperation, direction: int | None = None) -> bool:
    """Tell whether a face that FaceFusion worked on cannot look the same afterwards.

    It judges FaceFusion's own output by the values really used: a blend of 0.004 is 0 there.
    `mask` and `detect` only draw, and a mask may be empty.

    Args:
        operation: What was asked.
        direction: The one given to `translate`.
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
    }
    return Part(options, {"face_detector_model": model} if model != asked else {}, (model,))


def _choosing(operation: FaceOperation, faces: FacesOfRun) -> Part:
    mode = SELECTOR_MODES[faces.mode or operation.face_selector_mode]
    used: dict[str, str | int | float] = {}
    if mode != operation.face_selector_mode:
        used["face_selector_mode"] = mode
    if faces.reference_distance is not None:
        used["reference_face_distance"] = faces.reference_distance
    distance = _DISTANCE if faces.reference_distance is None else faces.reference_distance
    options = {
        "--face-selector-mode": (mode,),
        "--face-selector-order": (str(operation.face_selector_order),),
        "--face-selector-age-start": (str(faces.ages[0]),),
        "--face-selector-age-end": (str(faces.ages[1]),),
        "--reference-face-distance": (f"{distance:.2f}",),
    }
    return Part(options, used)
