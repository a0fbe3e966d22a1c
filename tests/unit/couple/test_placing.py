"""Who goes where: mappings, roles, genders, places, and the sentences where there is no face."""

from collections.abc import Sequence
from typing import Any

import pytest

from storycanvas.couple.found_faces import TemplateFaces, source_face
from storycanvas.couple.placing import HusbandOn, Side, placements, read_mappings
from storycanvas.couple.written_faces import FaceData, read_faces
from storycanvas.faces.contract import DetectedFace
from storycanvas.faces.errors import BadField, NoFace, OutOfRange

SIZE = (600, 400)
A = DetectedFace(x=20, y=60, width=100, height=100, score=0.6)
B = DetectedFace(x=220, y=40, width=110, height=110, score=0.9)
C = DetectedFace(x=420, y=80, width=60, height=60, score=0.7)
LOW = DetectedFace(x=220, y=240, width=110, height=110, score=0.8)
NAMES = {id(face): name for name, face in {"A": A, "B": B, "C": C, "LOW": LOW}.items()}
BOXES = {
    name: [face.x, face.y, face.x + face.width, face.y + face.height]
    for name, face in {"A": A, "B": B, "C": C, "LOW": LOW}.items()
}


def data(*entries: dict[str, Any] | str, numbers_faces: bool = True) -> FaceData:
    written = [
        {"bbox": BOXES[entry]} if isinstance(entry, str) else {**entry, "bbox": BOXES[entry["at"]]}
        for entry in entries
    ]
    return FaceData(read_faces(written, "face_data"), numbers_faces)


def decided(
    detected: Sequence[DetectedFace],
    known: FaceData | None = None,
    mappings: object = None,
    husband: HusbandOn | None = None,
) -> str:
    """Who goes where, as `h0>A` for the husband's best face onto A."""
    faces = TemplateFaces(detected, SIZE, known or FaceData())
    placed = placements(faces, read_mappings(mappings), husband)
    return " ".join(f"{p.person[0]}{p.source_face_index}>{NAMES[id(p.target)]}" for p in placed)


def to(person: str, target: int, source: int | None = None) -> dict[str, Any]:
    mapping: dict[str, Any] = {"source_photo": person, "target_face_index": target}
    return mapping if source is None else {**mapping, "source_face_index": source}


M_A, F_B = {"at": "A", "gender": "male"}, {"at": "B", "gender": "female"}
F_A, M_B = {"at": "A", "gender": 0}, {"at": "B", "gender": 1}
M_C = {"at": "C", "gender": "male"}
W_A, H_B = {"at": "A", "role": "wife"}, {"at": "B", "role": "husband"}

WITHOUT_MAPPING: dict[str, tuple[list[DetectedFace], FaceData, HusbandOn | None, str]] = {
    "left by default, the right one detected first": ([B, A], FaceData(), None, "h0>A w0>B"),
    "one above the other: the left edge decides": ([LOW, A], FaceData(), None, "h0>A w0>LOW"),
    "one exactly above the other: the upper one": ([LOW, B], FaceData(), None, "h0>B w0>LOW"),
    "on the right": ([A, B], FaceData(), Side.RIGHT, "h0>B w0>A"),
    "at a place": ([B, A], FaceData(), 1, "h0>B w0>A"),
    "three faces: the two largest": ([C, B, A], FaceData(), None, "h0>A w0>B"),
    "three faces: a place, and the largest other": ([A, B, C], FaceData(), 2, "h0>C w0>B"),
    "three faces: those that are known": ([A, B, C], data("B", "C"), None, "h0>B w0>C"),
    "genders": ([B, A], data(F_A, M_B), None, "h0>B w0>A"),
    "genders, the other way": ([B, A], data(M_A, F_B), None, "h0>A w0>B"),
    "genders of three": ([A, B, C], data(F_B, M_C), None, "h0>C w0>B"),
    "the parameter decides over genders": ([A, B], data(F_A, M_B), Side.LEFT, "h0>A w0>B"),
    "a gender twice does not decide": ([A, B, C], data(F_A, M_B, M_C), None, "h0>A w0>B"),
    "a gender alone does not decide": ([A, B], data("A", M_B), None, "h0>A w0>B"),
    "roles": ([A, B], data(W_A, H_B), None, "h0>B w0>A"),
    "roles decide over genders": (
        [A, B],
        data({**W_A, "gender": 1}, {**H_B, "gender": 0}),
        None,
        "h0>B w0>A",
    ),
    "roles decide over the parameter": ([A, B], data(W_A, H_B), Side.LEFT, "h0>B w0>A"),
    "a role alone does not decide": ([A, B], data("A", H_B), None, "h0>A w0>B"),
    "one role on two faces": (
        [A, B, C],
        data(W_A, H_B, {"at": "C", "role": "wife"}),
        None,
        "h0>B w0>A w0>C",
    ),
    "genders of faces that were found later": (
        [A, B],
        data(F_A, M_B, numbers_faces=False),
        None,
        "h0>B w0>A",
    ),
}


@pytest.mark.parametrize(
    ("detected", "known", "husband", "placed"), WITHOUT_MAPPING.values(), ids=WITHOUT_MAPPING
)
@pytest.mark.parametrize("mappings", [None, []], ids=str)
def test_without_a_mapping_role_gender_and_place_decide(
    detected: list[DetectedFace],
    known: FaceData,
    husband: HusbandOn | None,
    placed: str,
    mappings: object,
) -> None:
    assert decided(detected, known, mappings, husband) == placed


MAPPED: dict[str, tuple[list[DetectedFace], FaceData, list[dict[str, Any]], str]] = {
    "from the left": ([B, A], FaceData(), [to("husband", 1), to("wife", 0)], "h0>B w0>A"),
    "by index of the data": (
        [A, B],
        data("B", "A"),
        [to("husband", 0), to("wife", 1)],
        "h0>B w0>A",
    ),
    "by written indices": (
        [A, B],
        data({"at": "B", "index": 4}, {"at": "A", "index": 2}),
        [to("wife", 4)],
        "w0>B",
    ),
    "from the left where the data is later": (
        [A, B],
        data("B", "A", numbers_faces=False),
        [to("husband", 0)],
        "h0>A",
    ),
    "one on one face": ([A], FaceData(), [to("wife", 0)], "w0>A"),
    "m, f and m": (
        [A, B, C],
        data(M_A, F_B, M_C),
        [to("husband", 0), to("wife", 1), to("husband", 2)],
        "h0>A w0>B h0>C",
    ),
    "a later one on the same face": (
        [A, B],
        FaceData(),
        [to("husband", 0), to("wife", 0)],
        "h0>A w0>A",
    ),
    "in the order that is written": (
        [A, B],
        FaceData(),
        [to("wife", 1), to("husband", 0)],
        "w0>B h0>A",
    ),
    "another source face": ([A, B], FaceData(), [to("husband", 0, 1)], "h1>A"),
    "over roles, genders and all": (
        [A, B],
        data(W_A, H_B),
        [to("husband", 0), to("wife", 1)],
        "h0>A w0>B",
    ),
}


@pytest.mark.parametrize(("detected", "known", "mappings", "placed"), MAPPED.values(), ids=MAPPED)
def test_a_mapping_decides_alone_and_in_its_order(
    detected: list[DetectedFace], known: FaceData, mappings: list[dict[str, Any]], placed: str
) -> None:
    assert decided(detected, known, mappings, husband=Side.RIGHT) == placed


def nothing_there(*entries: str) -> FaceData:
    far = [{"bbox": [500, 300, 560, 380]}]
    return FaceData(read_faces([*({"bbox": BOXES[e]} for e in entries), *far], "face_data"))


REFUSED: dict[str, tuple[type[Exception], str, dict[str, Any]]] = {
    "index 99": (
        OutOfRange,
        r"Target face index 99 out of range \(detected 2 faces\)",
        {"detected": [A, B], "mappings": [to("husband", 99)]},
    ),
    "index 99 of the data": (
        OutOfRange,
        r"Target face index 99 out of range \(detected 2 faces\)",
        {"detected": [A, B], "known": data("A", "B"), "mappings": [to("husband", 99)]},
    ),
    "a place": (
        OutOfRange,
        r"Target face index 2 out of range \(detected 2 faces\)",
        {"detected": [A, B], "husband": 2},
    ),
    "a box that none fits": (
        NoFace,
        "No detected face fits the box of face 1",
        {"detected": [A, B], "known": nothing_there("A"), "mappings": [to("wife", 1)]},
    ),
    "one face": (
        NoFace,
        "Template must contain at least 2 faces, but only 1 detected",
        {"detected": [A]},
    ),
    "one face and a place": (
        NoFace,
        "at least 2 faces, but only 1 detected",
        {"detected": [A], "husband": 0},
    ),
}


@pytest.mark.parametrize(("error", "told", "given"), REFUSED.values(), ids=REFUSED)
def test_a_face_that_is_not_there_is_not_guessed(
    error: type[Exception], told: str, given: dict[str, Any]
) -> None:
    with pytest.raises(error, match=f"^{told}" if told[0] != "a" else told):
        decided(**given)


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ({"source_photo": "husband", "target_face_index": 0}, "face_mappings: "),
        ([{"source_photo": "child", "target_face_index": 0}], r"\(0, source_photo\)"),
        ([{"source_photo": "wife"}], r"\(0, target_face_index\)"),
        ([to("wife", 0), to("wife", -1)], r"\(1, target_face_index\)"),
        ([to("wife", 0, -1)], r"\(0, source_face_index\)"),
        ([{**to("wife", 0), "target_face_index": True}], r"\(0, target_face_index\)"),
        ([{**to("wife", 0), "target_face_index": "0"}], r"\(0, target_face_index\)"),
        ([{**to("wife", 0), "face": 1}], r"\(0, face\)"),
        ([to("wife", 0)] * 65, "face_mappings: "),
    ],
    ids=str,
)
def test_what_is_no_list_of_mappings_is_refused_by_its_place(written: object, told: str) -> None:
    with pytest.raises(BadField, match=told):
        read_mappings(written)


def test_a_source_face_is_chosen_by_its_score_and_equal_ones_from_the_left() -> None:
    faces = [C, B, A, LOW]
    tied = [face.model_copy(update={"score": None}) for face in (B, A)]

    assert [source_face(faces, index) for index in range(4)] == [B, LOW, C, A]
    assert source_face(tied, 0).x == A.x


def test_a_source_face_that_is_not_there_is_told_in_the_app_s_words() -> None:
    with pytest.raises(
        OutOfRange, match=r"^Source face index 1 out of range \(detected 1 faces\)$"
    ):
        source_face([A], 1)
