"""Which files of weights FaceFusion needs, and which of them a checkout has.

The names are those of FaceFusion 3.8.1's model sets; 3.5 to 3.8 have the same, but for `fran`,
which came with 3.6. Only names are compared here; `checksums.py` reads the files.
"""

from collections.abc import Iterable
from itertools import chain
from pathlib import Path
from types import MappingProxyType

from storycanvas.faces.operations import (
    OPERATIONS,
    AgeAdjustOperation,
    EditOperation,
    EnhanceOperation,
    SwapOperation,
)

DETECTORS = ("yolo_face", "retinaface", "scrfd", "yunet")
DEFAULT_DETECTOR = "yolo_face"
ENHANCERS = (
    "gfpgan_1.4",
    "codeformer",
    "restoreformer_plus_plus",
    "gfpgan_1.2",
    "gfpgan_1.3",
    "gpen_bfr_256",
    "gpen_bfr_512",
    "gpen_bfr_1024",
    "gpen_bfr_2048",
)
SWAPPERS = (
    "inswapper_128",
    "inswapper_128_fp16",
    "blendswap_256",
    "ghost_1_256",
    "ghost_2_256",
    "ghost_3_256",
    "hififace_unofficial_256",
    "hyperswap_1a_256",
    "hyperswap_1b_256",
    "hyperswap_1c_256",
    "simswap_256",
    "simswap_unofficial_512",
    "uniface_256",
)
AGE_MODIFIERS = ("fran",)
"""FaceFusion's other age modifier does not take years."""
EDITORS = ("live_portrait",)
MODELS = (*ENHANCERS, *SWAPPERS, *AGE_MODIFIERS, *EDITORS, *DETECTORS)
"""All models that an operation can use, in the order in which they are listed."""

MODELS_OF_OPERATION = MappingProxyType(
    {operation.path: () for operation in OPERATIONS}
    | {
        EnhanceOperation.path: ENHANCERS,
        AgeAdjustOperation.path: AGE_MODIFIERS,
        SwapOperation.path: SWAPPERS,
        EditOperation.path: EDITORS,
    }
)
"""By the operation's path, any of which can do it; the others need a detector alone."""

ALWAYS_NEEDED = (
    "nsfw_1",
    "nsfw_2",
    "nsfw_3",
    "fairface",
    "2dfan4",
    "fan_68_5",
    "xseg_1",
    "bisenet_resnet_34",
    "arcface_w600k_r50",
)
"""What every run loads: content analyser, classifier, landmarker, masker and recogniser, with the
default choice of landmarker, occluder and parser."""

_WEIGHTS = MappingProxyType(
    {model: (model,) for model in MODELS}
    | {
        "many": ("retinaface_10g", "scrfd_2.5g", "yoloface_8n"),  # leaves yunet out
        "retinaface": ("retinaface_10g",),
        "scrfd": ("scrfd_2.5g",),
        "yolo_face": ("yoloface_8n",),
        "yunet": ("yunet_2023_mar",),
        "ghost_1_256": ("ghost_1_256", "crossface_ghost"),
        "ghost_2_256": ("ghost_2_256", "crossface_ghost"),
        "ghost_3_256": ("ghost_3_256", "crossface_ghost"),
        "hififace_unofficial_256": ("hififace_unofficial_256", "crossface_hififace"),
        "simswap_256": ("simswap_256", "crossface_simswap"),
        "simswap_unofficial_512": ("simswap_unofficial_512", "crossface_simswap"),
        "live_portrait": (
            "live_portrait_feature_extractor",
            "live_portrait_motion_extractor",
            "live_portrait_eye_retargeter",
            "live_portrait_lip_retargeter",
            "live_portrait_stitcher",
            "live_portrait_generator",
        ),
    }
)


def models_folder(home: Path) -> Path:
    """Return where a checkout keeps its weights."""
    return home / ".assets" / "models"


def needed_files(models: Iterable[str]) -> frozenset[str]:
    """Return the `.onnx` and `.hash` files that a run with these models loads.

    Args:
        models: FaceFusion's own names, as its options take them: `gfpgan_1.4`, `yolo_face`, `many`.

    Raises:
        ValueError: FaceFusion 3.8.1 has no such model.
    """
    wanted = tuple(models)
    unknown = [model for model in wanted if model not in _WEIGHTS]
    if unknown:
        raise ValueError(f"FaceFusion has no model {unknown[0]}; it has {', '.join(_WEIGHTS)}")
    weights = chain(ALWAYS_NEEDED, *(_WEIGHTS[model] for model in wanted))
    return frozenset(f"{name}.{kind}" for name in weights for kind in ("onnx", "hash"))


def missing_files(home: Path, models: Iterable[str]) -> tuple[str, ...]:
    """Return the files that a run with these models needs and the checkout lacks, sorted."""
    return tuple(sorted(needed_files(models) - files_of(home)))


def present_models(home: Path, damaged: frozenset[str] = frozenset()) -> tuple[str, ...]:
    """Return the models whose files are all there and not damaged, in the order of `MODELS`."""
    files = files_of(home) - damaged
    return tuple(model for model in MODELS if needed_files([model]) <= files)


def able_operations(home: Path, damaged: frozenset[str] = frozenset()) -> tuple[str, ...]:
    """Return the paths of the operations for which a model and a detector are there."""
    present = set(present_models(home, damaged))
    if present.isdisjoint(DETECTORS):
        return ()
    return tuple(
        path
        for path, models in MODELS_OF_OPERATION.items()
        if not models or not present.isdisjoint(models)
    )


def files_of(home: Path) -> frozenset[str]:
    """Return the names of all files in a checkout's folder of weights."""
    folder = models_folder(home)
    if not folder.is_dir():
        return frozenset()
    return frozenset(entry.name for entry in folder.iterdir() if entry.is_file())
