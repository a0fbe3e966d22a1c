"""Which files the chosen models need."""

from typing import Any

from facefusion import state_manager
from facefusion.download import check_weights, hash_path, weights_path

NSFW = ("nsfw_1", "nsfw_2", "nsfw_3")
CLASSIFIER = ("fairface",)
RECOGNISER = ("arcface_w600k_r50",)
DETECTORS = {
    "retinaface": "retinaface_10g",
    "scrfd": "scrfd_2.5g",
    "yolo_face": "yoloface_8n",
    "yunet": "yunet_2023_mar",
}
LANDMARKERS = ("2dfan4", "peppa_wutz")
OCCLUDERS = ("xseg_1", "xseg_2", "xseg_3")


def detectors() -> tuple[str, ...]:
    """Return the files of the chosen detector."""
    chosen = state_manager.get_item("face_detector_model")
    return tuple(file for name, file in DETECTORS.items() if chosen in ("many", name))


def landmarkers() -> tuple[str, ...]:
    """Return the files of the chosen landmarker."""
    chosen = state_manager.get_item("face_landmarker_model")
    return ("fan_68_5", *(name for name in LANDMARKERS if chosen in ("many", name)))


def maskers() -> tuple[str, ...]:
    """Return the files of the chosen occluder and parser, which are always loaded together."""
    chosen = state_manager.get_item("face_occluder_model")
    occluders = (name for name in OCCLUDERS if chosen in ("many", name))
    return (*occluders, state_manager.get_item("face_parser_model"))


def check_all(of_processor: tuple[str, ...]) -> bool:
    """Check the files that every run needs, then the processor's; stop at the first that fails."""
    always = (NSFW, CLASSIFIER, detectors(), landmarkers(), maskers(), RECOGNISER)
    return all(check_weights(names) for names in (*always, of_processor) if names)


def model_set(names: tuple[str, ...]) -> dict[str, Any]:
    """Return a model for each file, with the address and the place of both of its files."""
    assets = "https://github.com/facefusion/facefusion-assets/releases/download/models-3.0.0/"
    return {
        name: {
            "hashes": {name: {"url": f"{assets}{name}.hash", "path": str(hash_path(name))}},
            "sources": {name: {"url": f"{assets}{name}.onnx", "path": str(weights_path(name))}},
        }
        for name in names
    }
