"""Puts a stand-in FaceFusion checkout into a folder."""

import json
import shutil
import zlib
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
PROGRAM = HERE / "program"
CONTRACT = HERE.parent / "contract_3_8_1.json"
VERSION = "3.8.1"
ENHANCERS = (
    "codeformer",
    "gfpgan_1.2",
    "gfpgan_1.3",
    "gfpgan_1.4",
    "gpen_bfr_256",
    "gpen_bfr_512",
    "gpen_bfr_1024",
    "gpen_bfr_2048",
    "restoreformer_plus_plus",
)
SWAPPERS = ("inswapper_128", "hyperswap_1a_256", "hyperswap_1b_256", "hyperswap_1c_256")
AGE_MODIFIERS = ("fran", "styleganex_age")
EDITOR = (
    "live_portrait_feature_extractor",
    "live_portrait_motion_extractor",
    "live_portrait_eye_retargeter",
    "live_portrait_lip_retargeter",
    "live_portrait_stitcher",
    "live_portrait_generator",
)
ALWAYS = (
    "yoloface_8n",
    "2dfan4",
    "fan_68_5",
    "arcface_w600k_r50",
    "fairface",
    "xseg_1",
    "xseg_2",
    "xseg_3",
    "bisenet_resnet_18",
    "bisenet_resnet_34",
    "nsfw_1",
    "nsfw_2",
    "nsfw_3",
)
MODELS = (*ALWAYS, *ENHANCERS, *SWAPPERS, *AGE_MODIFIERS, *EDITOR)
OF_OTHER_COMMANDS = {  # sections and keys of facefusion.ini that headless-run has no options for
    "patterns": ("source_pattern", "target_pattern", "output_pattern"),
    "uis": ("open_browser", "ui_layouts", "ui_workflow"),
    "download": ("download_scope",),
    "benchmark": ("benchmark_mode", "benchmark_resolutions", "benchmark_cycle_count"),
    "misc": ("halt_on_error",),
}


LOADERS = {
    "face_classifier.py": "CLASSIFIER",
    "face_landmarker.py": "landmarkers()",
    "face_recognizer.py": "RECOGNISER",
}
"""Modules of FaceFusion that do nothing here but load their weights."""
LOADER = """from facefusion import inference_manager
from facefusion.weights import {name}


def get_inference_pool():
    inference_manager.load({weights})
"""
OLDER_NAMES = {
    "face_analyser.py": "from facefusion.face_creator import get_static_faces as get_many_faces\n",
    "face_store.py": "\n\nclear_static_faces, set_static_faces = clear_faces, set_faces\n",
    "face_selector.py": """

newer = sort_and_filter_faces


def sort_and_filter_faces(faces, *targets):
    return newer(faces, *targets) if targets else newer([], faces)
""",
}

MODEL_SETS = {
    "content_analyser": ("nsfw_1", "nsfw_2", "nsfw_3"),
    "face_classifier": ("fairface",),
    "face_detector": ("retinaface_10g", "scrfd_2.5g", "yoloface_8n", "yunet_2023_mar"),
    "face_landmarker": ("2dfan4", "peppa_wutz", "fan_68_5"),
    "face_masker": ("xseg_1", "xseg_2", "xseg_3", "bisenet_resnet_18", "bisenet_resnet_34"),
    "face_recognizer": ("arcface_w600k_r50",),
    "voice_extractor": ("kim_vocal_2",),
    "processors/modules/age_modifier/core": AGE_MODIFIERS,
    "processors/modules/face_editor/core": EDITOR,
    "processors/modules/face_enhancer/core": ENHANCERS,
    "processors/modules/face_swapper/core": SWAPPERS,
}
"""The weights of each of FaceFusion's modules that has a model set."""

MODEL_SET = """

def create_static_model_set(download_scope):
    from facefusion.weights import model_set

    return model_set({names})
"""


def write_stand_in(home: Path, version: str = VERSION) -> None:
    """Write a checkout that can be started with `python facefusion.py` in its folder.

    Args:
        home: An empty folder, or none yet.
        version: What `--version` and `metadata.get("version")` are to tell; for 3.5 and 3.6 the
            functions that moved since have their older names, too.

    Raises:
        ValueError: When the folder holds something.
    """
    home.mkdir(parents=True, exist_ok=True)
    if any(home.iterdir()):
        raise ValueError(f"{home} is not empty: name an empty folder for the stand-in")
    without_caches = shutil.ignore_patterns("__pycache__")
    shutil.copytree(PROGRAM, home, dirs_exist_ok=True, ignore=without_caches)
    shutil.copyfile(CONTRACT, home / "facefusion" / "contract.json")
    metadata = home / "facefusion" / "metadata.py"
    metadata.write_text(metadata.read_text().replace(f'"{VERSION}"', f'"{version}"'))
    (home / "facefusion.ini").write_text(configuration())
    for file, weights in LOADERS.items():
        text = LOADER.format(name=weights.removesuffix("()"), weights=weights)
        (home / "facefusion" / file).write_text(text)
    older = version.startswith(("3.5", "3.6"))
    if older:
        for file, text in OLDER_NAMES.items():
            with (home / "facefusion" / file).open("a") as opened:
                opened.write(text)
    for module, names in MODEL_SETS.items():
        with (home / "facefusion" / f"{module}.py").open("a") as opened:
            opened.write(MODEL_SET.format(names=names))
    for name in (*MODELS, *(["kim_vocal_2"] if older else [])):
        write_weights(home, name, f"stand-in {name}".encode())


def write_weights(home: Path, name: str, content: bytes, crc: str | None = None) -> None:
    """Write `.assets/models/NAME.onnx` and the CRC32 of it, or another one, beside it.

    The content `broken` passes the check and does not load, `hangs` never ends loading.
    """
    folder = home / ".assets" / "models"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.onnx").write_bytes(content)
    (folder / f"{name}.hash").write_text(crc or format(zlib.crc32(content), "08x"))


def build_onnxruntime(
    home: Path, built: list[str], works: list[str], works_small: list[str] | None = None
) -> None:
    """Set the providers that the stand-in's onnxruntime was built with, and those that work.

    Those of a model of one node may be others.
    """
    told = {
        "built": built,
        "works": works,
        "works_small": works if works_small is None else works_small,
    }
    (home / "onnxruntime.json").write_text(json.dumps(told))


def misbehave(home: Path, *lines: str) -> None:
    """Set what the next operations do wrong, one line each.

    The lines are those of `program/facefusion/misbehaviour.py`.
    """
    (home / "misbehave").write_text("".join(f"{line}\n" for line in lines))


def operations(home: Path) -> list[dict[str, Any]]:
    """Return what began and ended in this checkout, in order.

    Each has `event` (begin or end), `pid`, `processors`, `target` (SHA-256), `argv`,
    `misbehaviour`, and at its end `code`.
    """
    log = home / "operations.log"
    lines = log.read_text().splitlines() if log.exists() else []
    return [json.loads(line) for line in lines]


def loads(home: Path) -> list[tuple[int, str]]:
    """Return which process loaded which weights in this checkout, in order."""
    log = home / "loads.log"
    lines = [line.split() for line in log.read_text().splitlines()] if log.exists() else []
    return [(int(pid), name) for pid, name in lines]


def configuration() -> str:
    """Return a facefusion.ini with every section and key of 3.8.1, all values empty."""
    groups = json.loads(CONTRACT.read_text())["headless_run"]["options"]
    sections = {
        title.replace(" ", "_"): [
            option["dest"] for option in options if option["dest"] != "config_path"
        ]
        for title, options in groups.items()
    }
    for section, keys in OF_OTHER_COMMANDS.items():
        sections.setdefault(section, []).extend(keys)
    parts = (
        f"[{section}]\n" + "".join(f"{key} =\n" for key in keys)
        for section, keys in sections.items()
    )
    return "\n".join(parts)
