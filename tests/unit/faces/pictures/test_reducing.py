"""A picture is reduced to a longest side where that is asked for, and else stays as it is."""

import io

import pytest
from PIL import Image
from pydantic import ValidationError

from storycanvas.faces.pictures.reading import Picture, normal_form, read_picture
from storycanvas.faces.pictures.reducing import reduced
from storycanvas.faces.plan import PlanPicture
from tests.support.icc import rgb_profile


def plain(width: int, height: int) -> Picture:
    return normal_form(Image.linear_gradient("L").convert("RGB").resize((width, height)))


SIZES = [
    # size, longest side -> size
    ((4000, 3000), 1024, (1024, 768)),
    ((3000, 4000), 1024, (768, 1024)),
    ((513, 512), 512, (512, 511)),
    ((1, 3000), 256, (1, 256)),
    ((3000, 1), 256, (256, 1)),
    ((1000, 1000), 999, (999, 999)),
]


@pytest.mark.parametrize(("size", "longest_side", "expected"), SIZES)
def test_the_longer_side_gets_the_length_that_was_asked_for(
    size: tuple[int, int], longest_side: int, expected: tuple[int, int]
) -> None:
    picture = reduced(plain(*size), longest_side, "It")

    assert (picture.width, picture.height) == picture.image.size == expected


@pytest.mark.parametrize("size", [(512, 300), (300, 512), (1, 1), (256, 256)])
def test_a_picture_that_is_not_larger_stays_the_same(size: tuple[int, int]) -> None:
    picture = plain(*size)
    before = picture.sha256

    assert reduced(picture, 512, "It") is picture
    assert picture.sha256 == before
    assert picture.notes == ()


def test_a_photo_of_12_megapixels_keeps_what_it_shows_and_its_profile() -> None:
    file, profile = io.BytesIO(), rgb_profile(2.2)
    left, right = (200, 60, 30), (20, 90, 180)
    image = Image.new("RGB", (4000, 3000), left)
    image.paste(right, (2000, 0, 4000, 3000))
    image.save(file, format="JPEG", quality=95, icc_profile=profile)
    photo = read_picture(file.getvalue(), "photo")

    picture = read_picture(reduced(photo, 1024, "It").png, "reduced")

    assert picture.image.info["icc_profile"] == profile
    for place, colour in (((100, 384), left), ((900, 384), right)):
        found = picture.image.getpixel(place)
        assert isinstance(found, tuple)
        assert all(abs(is_ - was) <= 3 for is_, was in zip(found, colour, strict=True))


def test_transparency_is_kept_and_hidden_colours_do_not_show() -> None:
    image = Image.new("RGBA", (1000, 1000), (0, 255, 0, 0))
    image.paste((255, 0, 0, 255), (0, 0, 501, 1000))

    small = reduced(normal_form(image), 256, "It").image

    assert small.mode == "RGBA"
    assert small.getpixel((200, 128)) == (0, 0, 0, 0)
    row = [small.getpixel((x, 128)) for x in range(256)]
    seen = [pixel for pixel in row if isinstance(pixel, tuple) and pixel[3] > 8]
    assert max(pixel[1] for pixel in seen) == 0


def test_the_reduced_picture_has_a_hash_of_its_own_whatever_it_was_read_from() -> None:
    picture = plain(1000, 800)
    again = read_picture(picture.png, "again")

    one, other = (reduced(each, 500, "It") for each in (picture, again))

    assert one.sha256 == other.sha256 != picture.sha256
    assert one.sha256 != reduced(picture, 501, "It").sha256


def test_a_note_names_both_sizes_and_earlier_notes_stay() -> None:
    picture = plain(1000, 800)
    picture.notes = ("It had two frames.",)

    earlier, note = reduced(picture, 500, "The base picture").notes

    assert earlier == "It had two frames."
    assert note == (
        "The base picture was reduced from 1000 x 800 to 500 x 400 pixels, since a longest side of "
        "500 was asked for."
    )


@pytest.mark.parametrize("longest_side", [None, 256, 8192])
def test_a_picture_of_a_plan_takes_a_longest_side_within_bounds(longest_side: int | None) -> None:
    picture = PlanPicture(name="base", reference="base.png", longest_side=longest_side)

    assert picture.longest_side == longest_side


@pytest.mark.parametrize("longest_side", [0, 255, 8193])
def test_a_longest_side_beyond_its_bounds_is_refused(longest_side: int) -> None:
    with pytest.raises(ValidationError, match="than or equal to"):
        PlanPicture(name="base", reference="base.png", longest_side=longest_side)
