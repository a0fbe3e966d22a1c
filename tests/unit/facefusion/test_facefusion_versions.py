"""The table of FaceFusion's versions, compared with contracts that were read from its releases."""

import json
from pathlib import Path
from typing import Any

import pytest

from storycanvas.faces.operations import (
    AgeAdjustOperation,
    DetectOperation,
    EditOperation,
    EnhanceOperation,
    MaskOperation,
    SwapOperation,
)
from storycanvas.host.engines.facefusion.drivers.versions import (
    COMMAND,
    VERSIONS,
    refusal,
    version_of,
)
from storycanvas.host.engines.facefusion.process.installation import (
    InstallationUnusable,
    find_installation,
    refused_version,
)
from storycanvas.host.engines.facefusion.translation.operation import translate
from tests.support.paths import ROOT

CONTRACTS: dict[str, Any] = json.loads(
    (ROOT / "tests/support/facefusion/contracts_by_version.json").read_text()
)
RELEASES = [name for name in CONTRACTS if name != "v4"]
SIX = (
    AgeAdjustOperation(target_age=40), DetectOperation(), EditOperation(), EnhanceOperation(),
    MaskOperation(), SwapOperation(),
)  # fmt: skip


def options(flags: set[str]) -> set[str]:
    return {flag for flag in flags if flag.startswith("--")}


@pytest.mark.parametrize("release", RELEASES)
def test_each_function_of_the_table_is_in_the_release(release: str) -> None:
    version = version_of(release)
    assert version is not None
    functions = CONTRACTS[release]["functions"]
    for path, count in version.calls.items():
        fewest, most = functions[path]
        assert fewest <= count <= most, path


@pytest.mark.parametrize("release", RELEASES)
def test_each_option_that_the_host_writes_is_in_the_release(release: str) -> None:
    written = {text for operation in SIX for text in translate(operation, direction=1).arguments}
    assert options(written) <= set(CONTRACTS[release]["options"])
    assert COMMAND in CONTRACTS[release]["commands"]


@pytest.mark.parametrize("release", RELEASES)
def test_options_that_differ_from_the_newest_release_are_those_of_the_table(release: str) -> None:
    version, newest = version_of(release), set(CONTRACTS[RELEASES[-1]]["options"])
    assert version is not None
    own = set(CONTRACTS[release]["options"])
    assert (newest - own, own - newest) == (version.lacks, version.older_names)


def test_every_version_of_the_table_has_a_contract() -> None:
    assert [release.rpartition(".")[0] for release in RELEASES] == list(VERSIONS)


def test_the_branch_of_version_4_lacks_what_the_worker_calls() -> None:
    assert "args.apply_args" not in CONTRACTS["v4"]["functions"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("3.9.0", "3.9.0 is not supported (it is not released"),
        ("v4", "v4 is not supported (it renames headless-run to run"),
        ("4.0.0", "4.0.0 is not supported (it renames headless-run to run"),
        ("4.1", "face_landmarker to face_aligner"),
        ("3.4.2", "3.4.2 is not supported: check out one of 3.5, 3.6, 3.7, 3.8"),
        ("40.1", "40.1 is not supported: check"),
        ("3.10.0", "3.10.0 is not supported: check"),
    ],
)
def test_a_version_outside_of_the_table_is_refused_by_name(text: str, words: str) -> None:
    assert version_of(text) is None
    assert words in refusal(text)


def test_a_version_is_read_without_starting_anything(tmp_path: Path) -> None:
    (tmp_path / "facefusion").mkdir()
    (tmp_path / "facefusion.py").write_text("raise SystemExit('started')")
    metadata = tmp_path / "facefusion" / "metadata.py"
    metadata.write_text("METADATA = {\n\t'name': 'FaceFusion',\n\t'version': 'v4'\n}\n")
    with pytest.raises(InstallationUnusable, match="FaceFusion v4 is not supported"):
        find_installation({"FACEFUSION_HOME": str(tmp_path)})
    metadata.write_text("METADATA = {'version': '3.8.1'}")
    assert refused_version(tmp_path) is None
