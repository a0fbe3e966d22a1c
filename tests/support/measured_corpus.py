"""What the measures have to say of the sample portrait, and a command that writes it anew.

`python -m tests.support.measured_corpus`. Its pictures are transformations of the portrait. What
stands under `runtimes` came from the models' own runtimes (LiteRT 2.3.0, onnxruntime 1.32.0) and is
not written anew. What stands under `faces` is what the measures themselves said when it was
written, and under `likeness` how far dlib finds each picture from the portrait: they show a change,
not the truth.
"""

import json
from typing import Any

from storycanvas.faces.measures.likeness import likeness_meter
from storycanvas.faces.measures.measure import Bytes, LandmarkedFace
from storycanvas.faces.measures.measuring import face_meter
from tests.support.paths import ROOT
from tests.support.portraits import OTHER_PERSON, SAME_PERSON, portrait

CORPUS = ROOT / "tests" / "unit" / "faces" / "measures" / "corpus.json"
POINTS = (1, 10, 33, 61, 152, 263, 291)
"""Tip of the nose, forehead, eyes, chin and corners of the mouth."""


def read_corpus() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(CORPUS.read_text())
    return found


def pictures() -> dict[str, Bytes]:
    original = portrait()
    changed = {name: change(original) for name, change in SAME_PERSON.items()}
    return {"portrait": original} | changed


def expected(rgb: Bytes) -> dict[str, Any]:
    measured = face_meter().measure(rgb)
    assert measured.landmarked
    assert measured.measures
    face = measured.measures[0]
    points = [
        [round(float(value), 1) for value in point]
        for point in measured.landmarked[0].points[list(POINTS)]
    ]
    return {**face.model_dump(mode="json"), "points": points}


def compared() -> dict[str, Bytes]:
    """Make what the portrait is compared with: the same person, and faces with other features."""
    return pictures() | {name: change(portrait()) for name, change in OTHER_PERSON.items()}


def distance_to_portrait(rgb: Bytes) -> float:
    """Measure it by dlib; `WeightsMissing` without `make likeness`."""
    (distance,) = likeness_meter().distances(
        (portrait(), face_of(portrait())), (rgb, (face_of(rgb),))
    )
    return distance


def face_of(rgb: Bytes) -> LandmarkedFace:
    landmarked = face_meter().measure(rgb).landmarked
    assert landmarked
    return landmarked[0]


def main() -> None:
    corpus = read_corpus()
    corpus["likeness"] = {name: distance_to_portrait(rgb) for name, rgb in compared().items()}
    corpus["faces"] = {name: expected(rgb) for name, rgb in pictures().items()}
    faces = ",\n".join(
        f"  {json.dumps(name)}: {json.dumps(face)}" for name, face in corpus["faces"].items()
    )
    head = json.dumps({key: value for key, value in corpus.items() if key != "faces"}, indent=1)
    CORPUS.write_text(f'{head[:-2]},\n "faces": {{\n{faces}\n }}\n}}\n')


if __name__ == "__main__":
    main()
