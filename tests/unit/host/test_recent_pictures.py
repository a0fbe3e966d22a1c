"""The host keeps the pixels of the pictures used last, within a bound."""

from PIL import Image

from storycanvas.faces.pictures.reading import Picture, normal_form
from storycanvas.host.sources.recent_pictures import RecentPictures


def picture(side: int, shade: int = 0) -> Picture:
    return normal_form(Image.new("RGB", (side, side), (shade, 0, 0)))


def kept(recent: RecentPictures) -> str:
    return "".join(name for name in "abcd" if recent.find(name) is not None)


def test_the_least_recently_used_goes_first() -> None:
    recent = RecentPictures(max_pixels=200)
    recent.add("a", picture(10))
    recent.add("b", picture(10))
    recent.find("a")
    recent.add("c", picture(10))

    assert kept(recent) == "ac"


def test_what_exceeds_the_bound_alone_is_not_kept_and_displaces_nothing() -> None:
    recent = RecentPictures(max_pixels=200)
    recent.add("a", picture(10))
    recent.add("b", picture(15))

    assert kept(recent) == "a"


def test_of_small_pictures_few_are_kept() -> None:
    recent = RecentPictures()
    for number in range(100):
        recent.add(str(number), picture(1))

    assert [number for number in range(100) if recent.find(str(number))] == [*range(92, 100)]


def test_a_picture_with_a_note_is_read_again_by_the_field_that_names_it() -> None:
    recent, noted = RecentPictures(), picture(10)
    noted.notes = ("The picture source_path is animated; its first frame is used.",)
    recent.add("a", noted)

    assert kept(recent) == ""
