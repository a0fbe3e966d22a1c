"""Weights that are missing, broken or replaced while the host runs."""

import contextlib
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from storycanvas.faces.errors import EngineFailed
from storycanvas.faces.operations import DetectOperation, EnhancementModel, EnhanceOperation
from tests.support.facefusion.checkouts import Checkout, write_checkout
from tests.support.facefusion.driven_host import DrivenHost
from tests.support.facefusion.made_pictures import brighter, plain
from tests.support.facefusion.stand_in.checkout import write_weights

NAME = EnhancementModel.GFPGAN_1_4
ENHANCE = EnhanceOperation(enhancement_model=NAME)
OTHER = EnhanceOperation(enhancement_model=EnhancementModel.CODEFORMER)


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DrivenHost]:
    """A host whose weights each test spoils, and puts back."""
    folder = tmp_path_factory.mktemp("spoiled")
    started = DrivenHost(write_checkout(folder / "home"), folder / "host")
    started.ready()
    yield started
    started.end()


@contextlib.contextmanager
def put_back(checkout: Checkout, folder: Path) -> Iterator[None]:
    """Bring the weights back to what they were."""
    names = [f"{NAME}.onnx", f"{NAME}.hash"]
    for name in names:
        shutil.copy(checkout.models / name, folder)
    try:
        yield
    finally:
        for name in names:
            shutil.copy(folder / name, checkout.models / name)


def content(checkout: Checkout) -> dict[str, tuple[int, int]]:
    """Size and time of every file of weights."""
    files = ((file.name, file.stat()) for file in checkout.models.iterdir())
    return {name: (status.st_size, status.st_mtime_ns) for name, status in files}


def works(host: DrivenHost, operation: EnhanceOperation) -> bool:
    answer = host.post(operation, plain())
    return answer.status_code == 200


def failure(host: DrivenHost, status: int = 422, code: str = "unsupported") -> str:
    answer = host.post(ENHANCE, plain())
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["retryable"]) == (status, code, False)
    return str(error["message"])


def remove(checkout: Checkout) -> None:
    (checkout.models / f"{NAME}.onnx").unlink()


def spoil(checkout: Checkout) -> None:
    write_weights(checkout.home, NAME, b"broken")


def damage(checkout: Checkout) -> None:
    write_weights(checkout.home, NAME, b"damaged", crc="00000000")


def append_a_byte(checkout: Checkout) -> None:
    with (checkout.models / f"{NAME}.onnx").open("ab") as file:
        file.write(b"x")


def change_the_hash(checkout: Checkout) -> None:
    (checkout.models / f"{NAME}.hash").write_text("00000000")


@pytest.mark.parametrize("change", [remove, damage, append_a_byte, change_the_hash])
def test_unusable_weights_are_named_and_spoil_nothing_else(
    host: DrivenHost, tmp_path: Path, change: Callable[[Checkout], None]
) -> None:
    assert works(host, ENHANCE)
    with put_back(host.checkout, tmp_path):
        change(host.checkout)
        before = content(host.checkout)
        message = failure(host)
        assert f"{NAME}.onnx" in message
        assert "force-download" in message
        assert content(host.checkout) == before  # FaceFusion would have deleted the file
        assert NAME not in (host.client.status().models or ())
        assert works(host, OTHER)
    assert works(host, ENHANCE)


def test_weights_that_do_not_load_are_named_and_spoil_nothing_else(
    host: DrivenHost, tmp_path: Path
) -> None:
    with put_back(host.checkout, tmp_path):
        spoil(host.checkout)
        assert NAME in failure(host, 500, "engine_failed")
        assert works(host, OTHER)
    assert works(host, ENHANCE)


def test_while_nothing_can_be_done_the_status_is_503_with_the_same_body(
    host: DrivenHost, tmp_path: Path
) -> None:
    analyser = host.checkout.models / "nsfw_1.onnx"
    analyser.rename(tmp_path / analyser.name)
    try:
        answer = host.http.get("status")
        told = answer.json()
        assert (answer.status_code, told["status"], told["able"]) == (503, "failed", [])
        assert "lacks nsfw_1.onnx" in told["reason"]
        assert host.client.status().status == "failed"
    finally:
        (tmp_path / analyser.name).rename(analyser)
    answer = host.http.get("status")
    assert (answer.status_code, answer.json().get("reason")) == (200, None)


def test_weights_that_came_later_are_noticed_when_they_change(
    host: DrivenHost, tmp_path: Path
) -> None:
    with put_back(host.checkout, tmp_path):
        remove(host.checkout)
        assert works(host, OTHER)
    assert works(host, ENHANCE)
    with put_back(host.checkout, tmp_path):
        spoil(host.checkout)
        assert NAME in failure(host, 500, "engine_failed")


def test_the_status_leaves_out_models_without_weights(host: DrivenHost, tmp_path: Path) -> None:
    with put_back(host.checkout, tmp_path):
        remove(host.checkout)
        assert NAME not in (host.client.status().models or ())
    assert NAME in (host.client.status().models or ())


def test_an_operation_that_failed_leaves_nothing(host: DrivenHost, tmp_path: Path) -> None:
    with put_back(host.checkout, tmp_path):
        spoil(host.checkout)
        with pytest.raises(EngineFailed):
            host.done(ENHANCE, plain((90, 90, 90)))
    assert host.jobs() == []
    assert host.done(ENHANCE, plain((90, 90, 90))).answer.success


def test_without_the_detector_nothing_is_able(host: DrivenHost, tmp_path: Path) -> None:
    detector = host.checkout.models / "yoloface_8n.onnx"
    detector.rename(tmp_path / detector.name)
    try:
        assert host.client.status().able == ()
        assert "yoloface_8n" in host.post(DetectOperation(), plain()).json()["error"]["message"]
    finally:
        (tmp_path / detector.name).rename(detector)
    done = host.done(ENHANCE, plain())
    assert brighter(plain(), done.picture) > 10
