"""FaceFusion itself, where it is named, has what the table of versions and the options say."""

import json
import os
import subprocess
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from storycanvas.faces.operations import PIXEL_BOOSTS, SwapOperation
from storycanvas.host.engines.facefusion.drivers.versions import COMMAND, version_of
from storycanvas.host.engines.facefusion.translation.operation import translate
from tests.support.facefusion.checkouts import HOME_VARIABLE, Checkout
from tests.support.facefusion.driven_host import DrivenHost, environment_of
from tests.support.facefusion.made_pictures import plain
from tests.support.paths import ROOT

CONTRACTS: dict[str, Any] = json.loads(
    (ROOT / "tests/support/facefusion/contracts_by_version.json").read_text()
)
ASKED = """
import importlib, inspect, json, sys
from facefusion import metadata, program, program_helper
given = json.loads(sys.stdin.read())
def arity(path):
    module, _, name = path.rpartition(".")
    function = getattr(importlib.import_module("facefusion." + module), name)
    places = inspect.signature(function).parameters.values()
    return [sum(place.default is place.empty for place in places), len(places)]
def parsed(commands):
    sys.argv = ["facefusion.py", *commands[0]]  # its choices are those of this model
    parser = program.create_program()
    assert program_helper.validate_args(parser)
    told = [vars(parser.parse_args(words)) for words in commands]
    return [[values["face_swapper_model"], values["face_swapper_pixel_boost"]] for values in told]
print(json.dumps({
    "version": metadata.get("version"),
    "functions": {path: arity(path) for path in given["functions"]},
    "swaps": [parsed(commands) for commands in given["swaps"]],
}))
"""
SWAPS = [
    [
        SwapOperation(face_swapper_model=model, face_swapper_pixel_boost=boost)
        for boost in (None, *boosts)
    ]
    for model, boosts in PIXEL_BOOSTS.items()
]
itself = pytest.mark.skipif(
    not os.environ.get(HOME_VARIABLE), reason="FaceFusion itself is not named"
)


@pytest.fixture(scope="module")
def answer(checkout: Checkout, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What its own Python says of the functions and the command lines of swaps."""
    commands = [
        [[COMMAND, *translate(operation).arguments] for operation in operations]
        for operations in SWAPS
    ]
    functions = CONTRACTS["3.8.1"]["functions"]
    asked = {"functions": list(functions), "swaps": commands}
    folder: Path = tmp_path_factory.mktemp("asked")
    ended = subprocess.run(
        [checkout.python, "-c", ASKED], cwd=checkout.home, input=json.dumps(asked),
        env=environment_of(checkout, folder), capture_output=True, text=True, check=True,
    )  # fmt: skip
    found: dict[str, Any] = json.loads(ended.stdout)
    return found


@itself
def test_it_has_the_functions_of_its_contract(answer: dict[str, Any]) -> None:
    contract = CONTRACTS[answer["version"]]["functions"]
    version = version_of(answer["version"])
    assert version is not None
    assert set(version.calls) <= set(contract)
    assert answer["functions"] == contract


@itself
def test_it_gets_the_size_of_a_swap_that_was_asked_for(answer: dict[str, Any]) -> None:
    told = chain.from_iterable(answer["swaps"])
    for operation, (model, boost) in zip(chain.from_iterable(SWAPS), told, strict=True):
        asked = operation.face_swapper_model
        assert model == ("inswapper_128" if asked == "inswapper_256" else asked)
        usual = translate(operation).arguments
        assert boost == usual[usual.index("--face-swapper-pixel-boost") + 1]
        assert operation.face_swapper_pixel_boost in {None, boost}


@pytest.mark.parametrize(
    ("model", "boost"), [("inswapper_128", "512x512"), ("hyperswap_1a_256", "1024x1024")]
)
def test_an_answer_tells_the_size_that_was_used(
    resident_host: DrivenHost, model: str, boost: str
) -> None:
    given = {"face_swapper_model": model, "face_swapper_pixel_boost": boost}
    done = resident_host.done(SwapOperation.model_validate(given), plain(), plain((90, 90, 90)))
    assert done.answer.used["face_swapper_pixel_boost"] == boost
