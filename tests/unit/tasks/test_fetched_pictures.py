"""Pictures of a run: each fetched once, side by side, and a few of them at hand."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from PIL import Image

from storycanvas.faces.errors import PictureChanged, PictureUnreachable
from storycanvas.faces.pictures.reading import Picture
from storycanvas.faces.plan import PlanPicture
from tasks.faces.fetched import FetchedPicture, PictureCache


def asked(reference: str, name: str = "picture") -> PlanPicture:
    return PlanPicture(name=name, reference=reference)


def picture(shade: int = 0) -> Picture:
    return Picture.of_image(Image.new("RGB", (8, 8), (shade, 0, 0)))


def test_the_same_reference_is_fetched_once_however_many_ask() -> None:
    fetched: list[str] = []
    gate = threading.Barrier(2, timeout=10)

    def fetch(source: PlanPicture) -> Picture:
        fetched.append(source.reference)
        gate.wait()  # another one is fetched meanwhile
        return picture()

    cache = PictureCache(fetch)
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(cache.get, [asked("a"), asked("a", "other"), asked("b"), asked("a")]))

    assert sorted(fetched) == ["a", "b"]


def test_only_those_used_last_stay_at_hand_and_others_are_fetched_again() -> None:
    fetched: list[str] = []

    def fetch(source: PlanPicture) -> Picture:
        fetched.append(source.reference)
        return picture()

    cache = PictureCache(fetch, max_at_hand=2)
    for reference in ("a", "b", "a", "c", "a", "b"):
        cache.get(asked(reference))

    assert fetched == ["a", "b", "c", "b"]


def test_a_fetch_that_failed_is_tried_again_by_the_next_who_asks() -> None:
    answers = [PictureUnreachable("away"), picture()]

    def fetch(_: PlanPicture) -> Picture:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    cache = PictureCache(fetch)
    with pytest.raises(PictureUnreachable):
        cache.get(asked("a"))

    assert cache.get(asked("a")).width == 8


def test_a_picture_that_was_replaced_meanwhile_is_refused() -> None:
    shades = iter([0, 1, 2])
    cache = PictureCache(lambda _: picture(next(shades)), max_at_hand=1)
    fetched = FetchedPicture.of(asked("a", "base"), cache)
    cache.get(asked("b"))

    with pytest.raises(PictureChanged, match="The base picture was replaced"):
        fetched.content()
