"""What is said about small pictures and small faces, and from which size on nothing is."""

import pytest

from storycanvas.faces.pictures.sizes import size_remarks

FACE = "The face in the base picture is {}"
PICTURE = "The base picture is {}"

SIZES = [
    # picture, face -> begin of each warning, begin of each note
    ((512, 512), (130, 170), [], []),  # a portrait as artists have it
    ((4000, 3000), (128, 128), [], []),
    ((512, 512), (95, 120), [FACE.format("95 x 120 pixels")], []),
    ((1024, 1024), (200, 100), [FACE.format("200 x 100 pixels")], []),
    ((511, 900), (128, 200), [], [PICTURE.format("511 x 900 pixels")]),
    ((900, 256), (128, 200), [], [PICTURE.format("900 x 256 pixels")]),
    ((255, 900), (128, 200), [PICTURE.format("255 x 900 pixels")], []),
    ((200, 200), (90, 90), [PICTURE.format("200 x 200"), FACE.format("90 x 90 pixels")], []),
    ((600, 600), None, [], []),
]


@pytest.mark.parametrize(("picture", "face", "warnings", "notes"), SIZES)
def test_small_pictures_and_faces_are_told_with_both_sides(
    picture: tuple[int, int], face: tuple[int, int] | None, warnings: list[str], notes: list[str]
) -> None:
    remarks = size_remarks("base", picture, face)

    for told, expected in ((remarks.warnings, warnings), (remarks.notes, notes)):
        assert len(told) == len(expected)
        assert all(text.startswith(begin) for text, begin in zip(told, expected, strict=True))
    assert "wide" not in " ".join([*remarks.warnings, *remarks.notes])
