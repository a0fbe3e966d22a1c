"""The pages of the pipelines: what they say of ages, blends and costs is what the code has."""

import re
from pathlib import Path

import pytest
from PIL import Image, ImageChops, ImageStat

from flows.age_progression import DEFAULT_AGES
from storycanvas.couple.swap import CoupleSwap, couple_pipeline
from storycanvas.couple.written_faces import Person
from storycanvas.faces.batch import read_items
from storycanvas.faces.chain import shipped_chains
from storycanvas.faces.contract import DetectedFace
from storycanvas.faces.operations import AGE_BANDS, AGE_BANDS_TEXT, EnhancementModel
from storycanvas.faces.plan import Plan
from storycanvas.faces.preferences import Preferences
from storycanvas.faces.recipes.age_progression import LARGE_JUMP_BLENDS, age_progression
from storycanvas.faces.recipes.batch import batch_plan
from storycanvas.faces.recipes.chain import chain_plan
from storycanvas.faces.recipes.enhance_then_swap import enhance_then_swap
from storycanvas.faces.recipes.enhancing import compare_enhancers, enhance_faces
from storycanvas.faces.recipes.expression import Sweep, edit_expression
from storycanvas.faces.recipes.finding import detect_faces, mask_face
from storycanvas.faces.recipes.pipeline import RecipeInput, SeenPicture
from storycanvas.faces.recipes.steps import Choice
from tests.support.pages import pipeline_pictures
from tests.support.paths import ROOT

PAGES = ROOT / "docs" / "pipelines"
MAX_BYTES = 100_000
MIN_WORDS = 5
SAME = 3.0
"""Mean difference of channels, 0 to 255, that another version of Pillow or OpenCV may make."""
SMILE = "face_editor_mouth_smile"
TWENTY = [f"{n}.png" for n in range(20)]
TWO = (
    DetectedFace(x=50, y=50, width=150, height=150, score=0.9),
    DetectedFace(x=350, y=60, width=150, height=150, score=0.9),
)


def operations(plan: Plan, looked_at: int = 0) -> int:
    """Count the operations of a plan that finds nothing in the ledger, and the looks before it."""
    return len(plan.steps) + looked_at


def aged(base_age: int, *ages: int, enhance: Choice = Choice.AS_PREFERRED) -> int:
    return operations(age_progression("x.png", base_age, ages, enhance=enhance), 1)


def swapped(enhance: Choice) -> int:
    plan = enhance_then_swap("a.png", "b.png", enhance_source=enhance, enhance_result=enhance)
    return operations(plan, len(plan.pictures))


def couple(enhance: EnhancementModel | Choice) -> int:
    photos = {Person.HUSBAND: "his.png", Person.WIFE: "hers.png"}
    pipeline = couple_pipeline(CoupleSwap("t.png", photos, enhance=enhance))
    seen = {
        name: SeenPicture((600, 300), TWO if name == "template" else TWO[:1])
        for name in pipeline.pictures
    }
    references = {name: f"{name}.png" for name in pipeline.pictures}
    found = RecipeInput(references, Preferences(), {}, seen)
    return operations(pipeline.recipe(found), len(pipeline.pictures))


def chain(name: str) -> int:
    shipped = shipped_chains()[name]
    return operations(chain_plan(shipped, {name: f"{name}.png" for name in shipped.pictures}))


COSTS = {
    "age-progression": {
        "the five ages of the form, from a picture of age 33": aged(33, *DEFAULT_AGES),
        "the same without `enhance`": aged(33, *DEFAULT_AGES, enhance=Choice.NONE),
        "age 65 from a picture of age 25, through one age between": aged(25, 65),
    },
    "enhance-faces": {
        "`enhance-faces` of 20 pictures": operations(enhance_faces(TWENTY)),
        "`compare-enhancers` as the form has it: three models, one blend": operations(
            compare_enhancers("x.png"), 1
        ),
        "`compare-enhancers`: three models, four blends": operations(
            compare_enhancers("x.png", blends=(0.25, 0.5, 0.75, 1)), 1
        ),
    },
    "enhance-then-swap": {
        "as the form has it": swapped(Choice.AS_PREFERRED),
        "without `enhance_source` and `enhance_result`": swapped(Choice.NONE),
    },
    "edit-expression": {
        "one expression": operations(edit_expression("x.png", {SMILE: 40}), 1),
        "a sweep of four values": operations(
            edit_expression("x.png", {}, sweep=Sweep(field=SMILE, values=[-60, -30, 30, 60])), 1
        ),
    },
    "finding-faces": {
        "`mask-face`": operations(mask_face("x.png")),
        "`detect-faces` of 20 pictures": operations(detect_faces(dict.fromkeys(TWENTY, "x.png"))),
    },
    "face-chain": {f"`{name}`": chain(name) for name in shipped_chains()},
    "batch-process": {
        "`batch-process` of 50 items": operations(
            batch_plan(read_items([{"type": "enhance"}] * 50), reference_image="x.png").plan
        ),
        "`for-characters`: the five ages of the form for 10 characters of age 33": 10
        * aged(33, *DEFAULT_AGES),
    },
    "couple-face-swap": {
        "two persons into one picture": couple(Choice.NONE),
        "the same with `enhance_result`": couple(EnhancementModel.GFPGAN_1_4),
    },
}


def tables(page: str, last_column: str) -> dict[str, str]:
    """Read a page's tables of two columns whose second is called so: the rows, cell by cell."""
    text = (PAGES / f"{page}.md").read_text()
    found = re.findall(
        rf"^\| [^|\n]+ \| {last_column} \|\n\| --- \| --- \|\n((?:\|.*\n)+)", text, re.MULTILINE
    )
    rows = [row.strip("| ").split(" | ") for table in found for row in table.splitlines()]
    return {name.strip(): value.strip() for name, value in rows}


@pytest.mark.parametrize("page", COSTS)
def test_a_page_says_what_its_pipeline_costs(page: str) -> None:
    said = {run: int(cost) for run, cost in tables(page, "GPU operations").items()}

    assert said == COSTS[page]


@pytest.mark.parametrize("page", COSTS)
def test_a_page_shows_what_its_pipeline_does(page: str) -> None:
    text = (PAGES / f"{page}.md").read_text()
    [(described, name)] = re.findall(r"!\[(.*)\]\((images/.*)\)", text)

    assert len(described.split()) >= MIN_WORDS
    assert name == f"images/{page}.jpg"
    assert (PAGES / name).stat().st_size < MAX_BYTES


def test_the_pictures_of_the_pages_are_made_by_the_project(tmp_path: Path) -> None:
    assert pipeline_pictures.PAGES.keys() == COSTS.keys()

    pipeline_pictures.main(["finding-faces"], tmp_path)

    name = "finding-faces.jpg"
    with Image.open(tmp_path / name) as made, Image.open(PAGES / "images" / name) as kept:
        difference = ImageStat.Stat(ImageChops.difference(made, kept)).mean
        assert made.size == kept.size
    assert max(difference) < SAME


@pytest.mark.parametrize("page", sorted({path.stem for path in PAGES.glob("*.md")}))
def test_a_page_is_about_costs_unless_it_says_why_not(page: str) -> None:
    text = (PAGES / f"{page}.md").read_text()

    assert page in COSTS or "GPU operation" in text or "no host" in text


def test_the_page_of_ages_has_the_bands_of_the_code() -> None:
    said = tables("age-progression", "band")

    assert said == {f"{band.youngest}-{band.oldest}": band.name for band in AGE_BANDS}


def test_the_bands_meet_and_hold_every_age() -> None:
    ages = [age for band in AGE_BANDS for age in range(band.youngest, band.oldest + 1)]

    assert ages == [*range(101)]


def test_the_page_of_ages_has_the_blends_of_large_jumps() -> None:
    [sentence] = re.findall(
        r"for a single jump of 30 years.*?\.\n",
        (PAGES / "age-progression.md").read_text(),
        re.DOTALL,
    )

    assert all(f"{years} years" in sentence for years in LARGE_JUMP_BLENDS)
    assert re.findall(r"0\.\d", sentence) == [
        str(LARGE_JUMP_BLENDS[years]) for years in sorted(LARGE_JUMP_BLENDS)
    ]


def test_the_bands_stand_in_the_texts_that_name_an_age() -> None:
    api = (ROOT / "docs" / "host-api.json").read_text()

    assert AGE_BANDS_TEXT in api
