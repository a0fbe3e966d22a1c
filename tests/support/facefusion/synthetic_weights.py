"""Writes tiny stand-in models, so that a real FaceFusion 3.5 to 3.8 runs without its weights.

    python synthetic_weights.py FACEFUSION_DIR

Needs numpy and onnx, which FaceFusion's own environment has. For tests only: nothing here
recognises or alters a real face. What the stand-ins do is fixed, so a test can tell which
operation ran and with what value:

  detector        one face in the middle, 0.4 of the short side. A picture wider than twice its
                  height: two faces, in the middle of the left half (0.4, score 0.9) and of the
                  right half (0.5, score 0.8). A black picture: no face.
  landmarker      a fixed symmetric face inside of the box
  recogniser      the mean colour of the face
  classifier      female, white; the age class 0 to 8 rises with the brightness of the face
  occluder        the lowest quarter is occluded;  parser: bands of background, skin, nose, mouth
  content         refuses a (nearly) solid magenta picture and nothing else
  enhancers       brighten by a fixed step that differs by model (codeformer: by its weight)
  age modifiers   fran: brightness follows (target age - estimated age); styleganex_age: stripes
  swappers        half target, half a flat colour taken from the source
  live_portrait   adds red for positive and blue for negative motion, in proportion to its sum

The models refuse nothing but magenta, so they must never lie beside real weights: a folder that
holds any model which this program did not write is left alone.
"""

import sys
import zlib
from collections.abc import Iterator
from pathlib import Path

from onnx import checker, helper, numpy_helper, parser

from tests.support.facefusion.checkouts import PRODUCER, Checkout, refuse_real_weights
from tests.support.facefusion.synthetic_changers import changers
from tests.support.facefusion.synthetic_finders import finders
from tests.support.facefusion.synthetic_parts import Model


def models() -> Iterator[Model]:
    """Return all stand-ins."""
    yield from finders()
    yield from changers()


def serialised(model: Model) -> bytes:
    """Return a model as ONNX stores it."""
    text = f"synthetic ({model.inputs}) => ({model.outputs}) {{ {model.nodes} }}"
    graph = parser.parse_graph(text)
    graph.initializer.extend(
        numpy_helper.from_array(value, name) for name, value in model.constants.items()
    )
    made = helper.make_model(
        graph,
        producer_name=PRODUCER.decode(),
        ir_version=8,
        opset_imports=[helper.make_opsetid("", 17)],
    )
    checker.check_model(made, full_check=True)
    return bytes(made.SerializeToString())


def write_weights(home: Path) -> Path:
    """Write all stand-ins, each with the CRC32 by which FaceFusion knows it, to a checkout.

    Raises:
        ValueError: It has other weights.
    """
    if not (home / "facefusion.py").is_file():
        sys.exit(f"{home} has no facefusion.py: name the folder of a FaceFusion checkout")
    checkout = Checkout(home, Path(sys.executable))
    refuse_real_weights(checkout)
    folder = checkout.models
    folder.mkdir(parents=True, exist_ok=True)
    for model in models():
        data = serialised(model)
        (folder / f"{model.name}.onnx").write_bytes(data)
        (folder / f"{model.name}.hash").write_text(format(zlib.crc32(data), "08x"))
    return folder


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python synthetic_weights.py FACEFUSION_DIR")
    sys.stdout.write(f"wrote stand-in weights to {write_weights(Path(sys.argv[1]))}\n")
