from pathlib import Path

import psutil
import pytest

from storycanvas.faces.operations import OPERATIONS, EnhancementModel, FaceSwapperModel
from storycanvas.host.engines.facefusion.process.checksums import CheckedWeights, crc32_of
from storycanvas.host.engines.facefusion.process.weights import (
    ENHANCERS,
    MODELS,
    SWAPPERS,
    able_operations,
    missing_files,
    needed_files,
    present_models,
)
from tests.support.facefusion.checkouts import put_weights

OWNERS_NAMES = {"inswapper_256"}
"""Names of the project for a model that FaceFusion calls otherwise."""


def test_every_model_of_an_operation_is_known() -> None:
    assert {model.value for model in EnhancementModel} == set(ENHANCERS)
    assert {model.value for model in FaceSwapperModel} - OWNERS_NAMES == set(SWAPPERS)


def test_every_file_has_its_checksum_beside_it() -> None:
    files = needed_files(MODELS)
    onnx = {name.removesuffix(".onnx") for name in files if name.endswith(".onnx")}
    assert {name.removesuffix(".hash") for name in files if name.endswith(".hash")} == onnx


@pytest.mark.parametrize(
    ("model", "files"),
    [
        ("gfpgan_1.4", {"gfpgan_1.4"}),
        ("yolo_face", {"yoloface_8n"}),
        ("many", {"yoloface_8n", "scrfd_2.5g", "retinaface_10g"}),
        ("inswapper_128", {"inswapper_128"}),
        ("ghost_2_256", {"ghost_2_256", "crossface_ghost"}),
        ("simswap_unofficial_512", {"simswap_unofficial_512", "crossface_simswap"}),
        ("hififace_unofficial_256", {"hififace_unofficial_256", "crossface_hififace"}),
        ("fran", {"fran"}),
    ],
)
def test_a_model_needs_its_own_files(model: str, files: set[str]) -> None:
    wanted = {f"{name}.{kind}" for name in files for kind in ("onnx", "hash")}
    assert needed_files([model]) - needed_files([]) == wanted


def test_every_run_needs_the_content_analyser() -> None:
    assert {"nsfw_1.onnx", "nsfw_2.onnx", "nsfw_3.onnx"} <= needed_files([])


def test_an_unknown_model_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="no model inswapper_256"):
        needed_files(["gfpgan_1.4", "inswapper_256"])


def test_a_folder_without_weights_can_do_nothing(tmp_path: Path) -> None:
    assert present_models(tmp_path) == ()
    assert able_operations(tmp_path) == ()
    assert missing_files(tmp_path, ["fran"]) == tuple(sorted(needed_files(["fran"])))


def test_with_all_weights_everything_can_be_done(tmp_path: Path) -> None:
    put_weights(tmp_path, needed_files(MODELS))
    assert present_models(tmp_path) == MODELS
    assert able_operations(tmp_path) == tuple(operation.path for operation in OPERATIONS)
    assert missing_files(tmp_path, MODELS) == ()


@pytest.mark.parametrize(
    ("models", "able"),
    [
        ([], ()),
        (["gfpgan_1.4"], ()),
        (["yunet"], ("mask-face", "detect-faces")),
        (["scrfd", "codeformer"], ("enhance-face", "mask-face", "detect-faces")),
        (["yolo_face", "fran"], ("adjust-face", "mask-face", "detect-faces")),
        (["yolo_face", "simswap_256"], ("swap-face", "mask-face", "detect-faces")),
        (["yolo_face", "live_portrait"], ("edit-face", "mask-face", "detect-faces")),
    ],
    ids=lambda value: "+".join(value) or "none",
)
def test_an_operation_needs_a_model_and_a_detector(
    tmp_path: Path, models: list[str], able: tuple[str, ...]
) -> None:
    put_weights(tmp_path, needed_files(models))
    assert able_operations(tmp_path) == able


@pytest.mark.parametrize(
    "lacking", ["fran.hash", "fran.onnx", "nsfw_3.onnx", "fairface.hash", "yoloface_8n.onnx"]
)
def test_without_one_of_its_files_an_operation_cannot_be_done(tmp_path: Path, lacking: str) -> None:
    put_weights(tmp_path, needed_files(["fran", "yolo_face"]) - {lacking})
    assert "adjust-face" not in able_operations(tmp_path)
    assert missing_files(tmp_path, ["fran", "yolo_face"]) == (lacking,)


@pytest.mark.skipif(not hasattr(psutil.Process, "io_counters"), reason="no counters of reading")
def test_a_file_is_read_once_and_again_when_it_or_its_checksum_changes(tmp_path: Path) -> None:
    size, weights = 8 * 2**20, CheckedWeights(tmp_path)
    put_weights(tmp_path, needed_files(["fran"]))
    models = tmp_path / ".assets" / "models"
    for file in models.glob("*.onnx"):
        file.with_suffix(".hash").write_text(crc32_of(file))
    (models / "fran.onnx").write_bytes(bytes(size))

    def look() -> tuple[tuple[str, ...], bool]:
        before = psutil.Process().io_counters().read_chars
        damaged = weights.faults(["fran"]).damaged
        return damaged, psutil.Process().io_counters().read_chars - before >= size

    assert look() == (("fran.onnx",), True)
    assert look() == (("fran.onnx",), False)
    (models / "fran.hash").write_text(crc32_of(models / "fran.onnx"))
    assert look() == ((), True)
    assert look() == ((), False)
    (models / "fran.onnx").write_bytes(bytes(size) + b"x")
    assert look() == (("fran.onnx",), True)
