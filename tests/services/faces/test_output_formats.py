"""Outputs in other formats, from the request to the next one; what none could hold is refused."""

import hashlib
import io

import pytest
from PIL import Image

from storycanvas.faces.client.host_client import FaceHostClient
from storycanvas.faces.errors import OutOfRange
from storycanvas.faces.operations import EnhanceOperation, OutputFormat
from tests.support.host.started_host import StartedHost
from tests.support.host.threaded_host import OpenHost
from tests.support.paths import PORTRAIT

JPEG = EnhanceOperation(output_format=OutputFormat.JPEG, output_quality=85)


def encoded(mode: str, size: tuple[int, int] = (8, 8)) -> bytes:
    buffer = io.BytesIO()
    Image.new(mode, size, (9, 8, 7, 100)[: len(mode)]).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.mark.parametrize("asked", [OutputFormat.JPEG, OutputFormat.WEBP])
def test_an_output_is_the_next_input_by_its_own_bytes(
    host_process: StartedHost, asked: OutputFormat
) -> None:
    operation = EnhanceOperation(output_format=asked)
    with FaceHostClient(host_process.url) as client:
        answer = client.operate(operation, [client.upload(PORTRAIT)], f"first-{asked}")
        made = client.download(answer.output_path or "")
        assert client.upload(made) == answer.output_path
        with Image.open(io.BytesIO(made.file)) as image, Image.open(PORTRAIT) as portrait:
            assert image.format == asked.upper()
            assert image.size == portrait.size
        second = client.operate(operation, [client.upload(made)], f"second-{asked}")
    assert hashlib.sha256(made.file).hexdigest() in (answer.output_path or "")
    assert second.output_path != answer.output_path


def test_what_the_format_cannot_hold_is_refused_before_the_engine(open_host: OpenHost) -> None:
    host = open_host()
    wide = OutputFormat.WEBP, encoded("RGB", (16_384, 1))
    for number, (asked, data) in enumerate([(OutputFormat.JPEG, encoded("RGBA")), wide]):
        asset, operation = host.upload(data), EnhanceOperation(output_format=asked)
        with FaceHostClient(host.url) as client, pytest.raises(OutOfRange, match="take png"):
            client.operate(operation, [asset], f"key-{number}")
    assert host.engine.calls == []


def test_a_key_is_one_format(open_host: OpenHost) -> None:
    host = open_host()
    with FaceHostClient(host.url) as client:
        asset = host.upload(encoded("RGB"))
        first = client.operate(JPEG, [asset], "key")
        assert client.operate(JPEG, [asset], "key").output_path == first.output_path
        other = client.operate(EnhanceOperation(), [asset], "other")
    assert (first.output_path or "").endswith(".jpg")
    assert (other.output_path or "").endswith(".png")
    assert len(host.engine.calls) == 2
