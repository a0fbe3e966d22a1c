"""Asks the onnxruntime of FaceFusion's Python what a session really computes on.

`get_available_providers()` lists what a wheel was built with, not what works on this machine:
where CUDA's libraries or the driver are missing, onnxruntime falls back to the CPU in silence
(onnxruntime 1.20 to 1.28). Only a session shows it. The file runs in FaceFusion's Python, as a
program for the doctor and as a module of `worker.py`, so it imports nothing of the host.
"""

import importlib
import importlib.util
import json
import os
import sys
from typing import Any

Config = dict[str, Any]
Answer = dict[str, Any]

MODEL = bytes.fromhex(
    "08083a390a100a017812017922084964656e7469747912036f6e655a0f0a0178120a0a08080112040a020801"
    "620f0a0179120a0a08080112040a02080142040a001011"
)
"""An ONNX model of one node, `y = Identity(x)`: IR version 8, opset 17, one float."""
_WITH_DEVICE = {"cuda", "tensorrt", "rocm", "migraphx", "directml"}


def start_as_facefusion_does() -> None:
    """Do what its own `facefusion.py` does before anything else is imported."""
    sys.path[0] = os.getcwd()  # in place of the folder of this file  # noqa: PTH109
    os.environ["OMP_NUM_THREADS"] = "1"
    package = importlib.util.find_spec("facefusion")
    is_package = package is not None and package.submodule_search_locations is not None
    if is_package and importlib.util.find_spec("facefusion.conda"):
        # In a Conda environment this starts the program anew, with the libraries it needs.
        importlib.import_module("facefusion.conda").setup()


def probe(config: Config) -> Answer:
    """Make a session of one node; return the providers by FaceFusion's names.

    Args:
        config: `table`, pairs of FaceFusion's and onnxruntime's names in FaceFusion's order;
            `asked`, FaceFusion's names, empty to take the first that is offered, as FaceFusion
            does; `device`, the number of the GPU.

    Returns:
        `offered`: what onnxruntime was built with; `asked`: what the session was made for;
        `session`: what it has; `trouble`: why there is no session.
    """
    try:
        onnxruntime = importlib.import_module("onnxruntime")
        available = onnxruntime.get_available_providers()
        offered = [name for name, provider in config["table"] if provider in available]
        asked = config["asked"] or offered[:1]
        made = onnxruntime.InferenceSession(MODEL, providers=_providers(config, asked))
        session = names_of(config, made.get_providers())
    except Exception as error:  # noqa: BLE001 - libraries that do not load raise anything
        return {"trouble": f"{type(error).__name__}: {error}"}
    return {"offered": offered, "asked": asked, "session": session}


def names_of(config: Config, providers: list[str]) -> list[str]:
    """Translate onnxruntime's names to FaceFusion's, in the order given."""
    names = {provider: name for name, provider in config["table"]}
    return [names[provider] for provider in providers if provider in names]


def _providers(config: Config, asked: list[str]) -> list[Any]:
    table = dict(config["table"])
    device = {"device_id": config["device"]}
    return [(table[name], device) if name in _WITH_DEVICE else table[name] for name in asked]


def main() -> None:
    """Answer the question of the command line with one line of JSON."""
    start_as_facefusion_does()
    answer = probe(json.loads(sys.argv[1]))
    sys.stdout.write(json.dumps(answer) + "\n")


if __name__ == "__main__":
    main()
