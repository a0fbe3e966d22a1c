"""The one command that loads what the six operations need, against a server of weights."""

import os
import shutil
import subprocess
import sys
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from storycanvas.host.doctor.facefusion import collect_weights, evaluate_weights
from storycanvas.host.doctor.fetching import default_weights
from storycanvas.host.doctor.findings import Level
from tests.support.facefusion.checkouts import Checkout, stand_in, write_checkout
from tests.support.facefusion.weights_server import WeightsServer, serving_weights

LARGE = "gfpgan_1.4.onnx"
pytestmark = pytest.mark.skipif(
    None in (shutil.which("openssl"), shutil.which("curl")), reason="curl loads, openssl serves"
)


@dataclass
class Fetching:
    """A FaceFusion without one model, in a folder with a blank in its name, and a server."""

    checkout: Checkout
    server: WeightsServer
    curl_home: Path

    def fetch(self) -> subprocess.CompletedProcess[str]:
        """Run what the doctor prints, as it is."""
        facts = collect_weights(self.checkout.home, self.checkout.python)
        return subprocess.run(
            ["bash", "-c", facts.download.removeprefix("run: ")],
            env=os.environ | {"CURL_HOME": str(self.curl_home), "CUDA_VISIBLE_DEVICES": ""},
            capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip

    def files(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in self.checkout.models.iterdir()}

    def levels(self) -> set[Level]:
        facts = collect_weights(self.checkout.home, self.checkout.python)
        return {finding.level for finding in evaluate_weights(facts, downloads=False)}


@pytest.fixture
def fetching(tmp_path: Path) -> Iterator[Fetching]:
    checkout = write_checkout(tmp_path / "face fusion")
    files = {path.name: path.read_bytes() for path in checkout.models.iterdir()}
    content = files[LARGE] + bytes(300_000)  # more than one packet
    files |= {LARGE: content, "gfpgan_1.4.hash": f"{zlib.crc32(content):08x}".encode()}
    for name in (LARGE, "gfpgan_1.4.hash"):
        (checkout.models / name).unlink()
    with serving_weights(tmp_path, files) as server:
        yield Fetching(checkout, server, tmp_path)


def test_the_doctors_command_loads_what_is_missing_and_nothing_else(fetching: Fetching) -> None:
    shutil.rmtree(fetching.checkout.models)
    fetching.checkout.models.mkdir()
    assert fetching.levels() == {Level.FAILED}
    ended = fetching.fetch()

    assert (ended.returncode, ended.stdout) == (0, ""), ended.stderr
    assert fetching.levels() <= {Level.OK, Level.WARNING}
    wanted = {f"{n}.{k}" for n in default_weights(fetching.checkout.home) for k in ("onnx", "hash")}
    assert fetching.files() == {name: fetching.server.files[name] for name in wanted}

    fetching.server.asked.clear()
    assert fetching.fetch().returncode == 0
    assert fetching.server.asked == []


def test_what_is_damaged_is_loaded_again(fetching: Fetching) -> None:
    before = fetching.files() | {
        name: fetching.server.files[name] for name in (LARGE, "gfpgan_1.4.hash")
    }
    for name, content in {
        "2dfan4.onnx": before["2dfan4.onnx"] + b"x",
        "fairface.hash": b"00000000",
        "gfpgan_1.2.onnx": b"of no default, but the doctor names it",
    }.items():
        (fetching.checkout.models / name).write_bytes(content)

    ended = fetching.fetch()

    assert ended.returncode == 0, ended.stderr
    assert fetching.files() == before
    loaded = [name for name in fetching.server.asked if name.endswith(".onnx")]
    assert sorted(loaded) == [
        "2dfan4.onnx",
        "gfpgan_1.2.onnx",
        LARGE,
    ]  # fairface's .hash alone was wrong


def test_a_download_that_broke_off_goes_on_where_it_ended(fetching: Fetching) -> None:
    fetching.server.breaking_off[LARGE] = 200_000
    first = fetching.fetch()
    part = fetching.checkout.models / f"{LARGE}.part"
    kept = part.stat().st_size if part.exists() else 0
    second = fetching.fetch()

    assert "gfpgan_1.4 could not be loaded: curl ended with status" in first.stderr
    assert (first.returncode, second.returncode) == (1, 0), second.stderr
    assert kept == 200_000
    assert fetching.files()[LARGE] == fetching.server.files[LARGE]
    assert not part.exists()


@pytest.mark.parametrize("begun", [b"of another file", None], ids=["other", "whole"])
def test_a_part_that_does_not_fit_is_loaded_anew(fetching: Fetching, begun: bytes | None) -> None:
    whole = fetching.server.files[LARGE]
    (fetching.checkout.models / f"{LARGE}.part").write_bytes(whole if begun is None else begun)

    assert fetching.fetch().returncode == 0
    assert fetching.files()[LARGE] == whole


def test_a_file_that_no_server_has_is_named_and_leaves_nothing(fetching: Fetching) -> None:
    for name in ("xseg_1", "nsfw_2"):
        for kind in ("onnx", "hash"):
            (fetching.checkout.models / f"{name}.{kind}").unlink()
    del fetching.server.files["xseg_1.hash"]
    fetching.server.files["nsfw_2.onnx"] = b"another file"

    ended = fetching.fetch()

    assert ended.returncode == 1
    assert "xseg_1 could not be loaded: curl ended with status 22" in ended.stderr
    assert "nsfw_2 could not be loaded: what came has another CRC32" in ended.stderr
    assert {"xseg_1.hash", "xseg_1.onnx", "nsfw_2.onnx"}.isdisjoint(fetching.files())
    assert LARGE in fetching.files()


def test_without_a_server_each_file_is_named_at_once(fetching: Fetching) -> None:
    (fetching.curl_home / ".curlrc").write_text('proxy = "http://127.0.0.1:9"\n')
    before = fetching.files()

    ended = fetching.fetch()

    assert ended.returncode == 1
    assert "gfpgan_1.4 could not be loaded: " in ended.stderr
    assert fetching.files() == before


@pytest.mark.parametrize(("version", "more"), [("3.5.4", True), ("3.8.1", False)])
def test_older_releases_need_weights_of_their_own(
    tmp_path: Path, version: str, *, more: bool
) -> None:
    checkout = stand_in(tmp_path / "home", version)
    (checkout.models / "kim_vocal_2.onnx").unlink(missing_ok=True)

    facts = collect_weights(checkout.home, checkout.python)

    assert ("kim_vocal_2" in facts.download, bool(facts.missing_always)) == (more, more)


def test_other_models_are_loaded_by_their_own_names(fetching: Fetching) -> None:
    (fetching.checkout.models / "hyperswap_1a_256.onnx").unlink()
    command = [sys.executable, "-m", "storycanvas.host.doctor.fetching", "hyperswap_1a_256"]
    variables = {
        "FACEFUSION_HOME": str(fetching.checkout.home),
        "FACEFUSION_PYTHON": str(fetching.checkout.python),
        "CURL_HOME": str(fetching.curl_home),
    }
    ended = subprocess.run(
        command,
        env=os.environ | variables,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    assert ended.returncode == 0, ended.stderr
    assert {"hyperswap_1a_256.onnx", LARGE} <= set(fetching.files())
