"""Pictures and templates are added once, killed before any write or tried by many at once."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier

import pytest

from db.couple_rows import CouplePictures
from db.setup.apply import initialise
from tests.support.db.database_state import Data
from tests.support.db.killed import add_template_once, killed
from tests.support.db.records import NOW, template


def counts(database: Data) -> tuple[int, int]:
    return database["images"].count_documents({}), database["templates"].count_documents({})


@pytest.mark.parametrize("fatal", [1, 2])
def test_a_kill_between_two_writes_is_ended_by_the_next_try(
    any_url: str, any_database: Data, fatal: int
) -> None:
    assert killed(add_template_once, any_url, any_database.name, fatal)
    assert counts(any_database) == (fatal - 1, 0)

    assert CouplePictures(any_database).add_template(template(), NOW)
    assert not CouplePictures(any_database).add_template(template(), NOW)
    assert counts(any_database) == (1, 1)


def test_what_is_added_fits_the_validators_and_is_never_changed(database: Data) -> None:
    initialise(database, "error")
    pictures = CouplePictures(database)
    pictures.add_template(template(), NOW)
    database["templates"].update_one({}, {"$set": {"title": "mine"}})
    stored = database["templates"].find_one()

    assert not pictures.add_template(template(), NOW)
    assert database["templates"].find_one() == stored


@pytest.mark.parametrize("indexed", [False, True])
def test_many_at_the_same_time_add_a_picture_once(database: Data, indexed: bool) -> None:
    if indexed:
        initialise(database)
    ready = Barrier(8)

    def add(_: int) -> bool:
        ready.wait()
        return CouplePictures(database).add_template(template(), NOW)

    with ThreadPoolExecutor(8) as threads:
        assert sorted(threads.map(add, range(8))) == [False] * 7 + [True]
    assert counts(database) == (1, 1)


def test_an_id_follows_from_pixels_user_and_kind() -> None:
    image = template().image
    others = [
        replace(image, sha256="b"),
        replace(image, user_id="ann"),
        replace(image, image_type="source"),
    ]

    assert len({image.id, *(other.id for other in others)}) == 4
    assert replace(image, filename="other.png").id == image.id


def test_a_template_of_a_picture_that_has_one_is_not_added(database: Data) -> None:
    """The index on `image_id` holds a row of the app and one of ours apart."""
    initialise(database)
    database["templates"].insert_one({"id": "mine", "image_id": template().image.id})

    assert not CouplePictures(database).add_template(template(), NOW)
