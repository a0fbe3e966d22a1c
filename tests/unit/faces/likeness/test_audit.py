"""Which pictures an audit names: another person, another age, no face, not to be read."""

import io

import pytest
from PIL import Image

from storycanvas.faces.likeness.audit import (
    MAX_OUTLIERS,
    AuditedPicture,
    CharacterAudit,
    likeness_report,
)
from tasks.likeness.chart import likeness_plot

GOOD = AuditedPicture(
    picture="http://pictures/good.png",
    gallery="age_variants",
    asked_age=40,
    faces=1,
    age=38.0,
    distance=0.3,
    same_below=0.5,
)


def picture(**fields: object) -> AuditedPicture:
    return GOOD.model_copy(update=fields)


def audit(*pictures: AuditedPicture, name: str = "Mira") -> CharacterAudit:
    return CharacterAudit(character_id=name.lower(), name=name, pictures=pictures)


@pytest.mark.parametrize(
    ("fields", "remark"),
    [
        ({"distance": 0.5}, "unlike the character: distance 0.50, bound 0.50"),
        ({"age": 50.1}, "asked for 40 years, read as 50"),
        ({"faces": 0, "age": None, "distance": None}, "no face was found in it"),
        ({"problem": "It is gone."}, "It is gone."),
    ],
)
def test_an_outlier_says_what_is_wrong_with_it(fields: dict[str, object], remark: str) -> None:
    assert picture(**fields).remarks == (remark,)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"distance": 0.499},
        {"age": 50.0},
        {"asked_age": None, "age": 80.0},
        {"distance": None, "same_below": None},
        {"age": None},
    ],
)
def test_what_is_within_its_bounds_or_was_not_measured_is_no_outlier(
    fields: dict[str, object],
) -> None:
    assert picture(**fields).remarks == ()


def test_another_person_comes_before_another_age() -> None:
    unlike, off = picture(distance=0.6), picture(age=70.0)

    assert audit(GOOD, off, unlike).outliers() == (unlike, off)


def test_a_report_counts_all_and_keeps_some_outliers_of_each_character() -> None:
    many = audit(*(picture(distance=0.6 + n / 10_000) for n in range(2 * MAX_OUTLIERS)))
    one = audit(picture(age=70.0), GOOD, name="Ada")

    report = likeness_report("all characters", [one, many], [], 0)

    first, second = report.characters
    assert (first.name, first.unlike, len(first.outliers)) == ("Mira", 1000, MAX_OUTLIERS // 2)
    assert first.outliers[0].distance == pytest.approx(0.6999)
    assert (second.off_age, second.typical) == (1, 0.3)
    assert report.summary() == (
        "1002 pictures of all characters, 0 of them measured now: 1000 unlike their character, "
        "1 more than 10 years off."
    )


@pytest.mark.parametrize(
    "audits",
    [
        [],
        [audit()],
        [audit(GOOD, picture(distance=0.9, picture="http://pictures/$odd_漢.png"))],
        [audit(picture(distance=None, age=None), name="")],
        [audit(GOOD, name=f"c{number}") for number in range(40)],
    ],
)
def test_any_galleries_have_a_picture(audits: list[CharacterAudit]) -> None:
    drawn = Image.open(io.BytesIO(likeness_plot(audits)))

    assert drawn.format == "PNG"
    assert drawn.width > 600
    assert drawn.height < 4000


def test_outliers_are_red() -> None:
    def reds(found: CharacterAudit) -> int:
        pixels = Image.open(io.BytesIO(likeness_plot([found]))).convert("RGB").get_flattened_data()
        return sum(r > 180 and g < 110 and b < 130 for r, g, b in pixels)

    assert reds(audit(GOOD)) == 0
    assert reds(audit(GOOD, picture(distance=0.9))) > 50
