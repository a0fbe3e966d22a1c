"""Names of runs: which a person typed, and what the others are made of."""

import coolname
import pytest

from tasks.run_names import is_drawn, name_of


def test_names_that_prefects_server_draws_are_replaced() -> None:
    drawn = ["-".join(coolname.generate(2)) for _ in range(500)]

    assert [name for name in drawn if not is_drawn(name)] == []


@pytest.mark.parametrize("name", ["Tasty-a8Kd3f", "Refined-x", "origami-hawk"])
def test_a_name_that_the_run_form_proposes_is_replaced(name: str) -> None:
    assert is_drawn(name)


@pytest.mark.parametrize(
    "name",
    ["for the cover", "test-run", "cover", "Tasty-picture of the cover", "night-2", "Mira-old"],
)
def test_a_name_that_a_person_typed_is_kept(name: str) -> None:
    assert not is_drawn(name)


@pytest.mark.parametrize(
    ("wanted", "given", "name"),
    [
        (
            "a · {character_id} · {ages}",
            {"character_id": "Mara", "ages": [65, 12]},
            "a · Mara · 12–65",
        ),
        ("a · {character_id} · {ages}", {"character_id": None, "ages": [45]}, "a · 45"),
        ("a · {ages}", {"ages": ["12", 16]}, "a · 2 ages"),
        (
            "a · {pictures}",
            {"pictures": ["https://user:key@host/x/face.png?key=1"]},
            "a · face.png",
        ),
        ("a · {pictures}", {"pictures": ["1.png", "2.png"]}, "a · 2 pictures"),
        ("a · {pictures} · {missing}", {"pictures": ()}, "a"),
        ("a · {apply}", {"apply": True}, "a · apply"),
        ("a · {apply}", {"apply": False}, "a"),
        ("a · {character_id}", {"character_id": " AC/DC\n{ages} "}, "a · AC/DC {ages}"),
        ("a · {character_id}", {"character_id": "x" * 99}, f"a · {'x' * 39}…"),
    ],
)
def test_a_name_tells_flow_character_and_what_in_a_few_words(
    wanted: str, given: dict[str, object], name: str
) -> None:
    assert name_of(wanted, given) == name
