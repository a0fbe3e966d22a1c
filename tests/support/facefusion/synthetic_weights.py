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

from tests.support.facefusion.synthetic_changers import changers
from tests.support.facefusion.synthetic_finders import finders
from tests.support.facefusion.synthetic_parts import Model

PRODUCER = "synthetic-weights"
HEAD_BYTES = 256


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
        producer_name=PRODUCER,
        ir_version=8,
        opset_imports=[helper.make_opsetid("", 17)],
    )
    checker.check_model(made, full_check=True)
    return bytes(made.SerializeToString())


def refuse_real_weights(folder: Path) -> None:
    """Insist on a folder without models of other origin.

    Raises:
        SystemExit: There is one.
    """
    for path in sorted(folder.rglob("*.onnx")):
        with path.open("rb") as file:
            if PRODUCER.encode() not in file.read(HEAD_BYTES):
                sys.exit(f"{path} is no stand-in: name a FaceFusion checkout without weights")


def write_weights(home: Path) -> Path:
    """Write all stand-ins, each with the CRC32 by which FaceFusion knows it.

    Args:
        home: A FaceFusion checkout.

    Returns:
        The folder of its models.

    Raises:
        SystemExit: It is no checkout, or holds other weights.
    """
    if not (home / "facefusion.py").is_file():
        sys.exit(f"{home} holds no facefusion.py: name the folder of a FaceFusion checkout")
    folder = home / ".assets" / "models"
    folder.mkdir(parents=True, exist_ok=True)
    refuse_real_weights(folder)
    for model in models():
        data = serialised(model)
        (folder / f"{model.name}.onnx").write_bytes(data)
        (folder / f"{model.name}.hash").write_text(format(zlib.crc32(data), "08x"))
    return folder


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python synthetic_weights.py FACEFUSION_DIR")
    sys.stdout.write(f"wrote stand-in weights to {write_weights(Path(sys.argv[1]))}\n")
