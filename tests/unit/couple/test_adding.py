"""Names, boxes and words of pictures that are added."""

import pytest

from storycanvas.couple.adding import AddedPicture, AddingReport, stem_of, written_faces
from storycanvas.faces.contract import DetectedFace


@pytest.mark.parametrize(
    ("reference", "stem"),
    [
        ("/home/me/a photo.jpg", "a photo"),
        ("photos/50% off #1?.png", "50% off #1?"),
        ("https://pictures.example/a/b%20c.jpeg?token=hunter2#x", "b c"),
        ("https://pictures.example", "picture"),
        ("https://pictures.example/?file=a.png", "picture"),
        ("s3://bucket/t.v2.png", "t.v2"),
        ("/x/" + "n" * 300 + ".png", "n" * 200),
        ("a\nb.png", "ab"),
    ],
)
def test_a_picture_is_named_after_its_file(reference: str, stem: str) -> None:
    assert stem_of(reference) == stem


def test_faces_are_written_from_the_left_with_their_boxes() -> None:
    right, left = (
        DetectedFace(x=x, y=4, width=30, height=40, score=score, estimated_age=20)
        for x, score in ((200, 0.9), (10, None))
    )

    assert written_faces([right, left]) == [
        {"index": 0, "x": 10, "y": 4, "width": 30, "height": 40, "score": None},
        {"index": 1, "x": 200, "y": 4, "width": 30, "height": 40, "score": 0.9},
    ]


def test_a_report_counts_and_names_what_a_person_has_to_see() -> None:
    pictures = (
        AddedPicture(picture="a.png", outcome="added", faces=2),
        AddedPicture(picture="b.png", outcome="known", faces=1),
        AddedPicture(picture="c.png", outcome="failed", error="It is gone.", code="x"),
    )
    report = AddingReport(pictures=pictures, faces_needed=2, notes=("A note.",))

    assert report.summary() == (
        "3 pictures: 1 added, 1 there already, 1 not added. 1 with fewer than 2 faces. "
        "c.png: It is gone."
    )
    assert report.warnings() == [
        "A note.",
        "c.png is not added: It is gone.",
        "b.png shows 1 face.",
    ]
    assert AddingReport(pictures=pictures[:1]).summary() == "1 picture: 1 added."
