"""A couple swap on FaceFusion: one swap after another, each in the result of the one before."""

import pytest
from PIL import Image

from storycanvas.couple.found_faces import source_face
from storycanvas.couple.placing import Side, read_mappings
from storycanvas.couple.swap import CoupleSwap, couple_pipeline
from storycanvas.couple.written_faces import Person
from storycanvas.faces.contract import DetectedFace
from storycanvas.faces.operations import DetectOperation
from storycanvas.faces.pictures.boxes import widened
from storycanvas.faces.plan import Plan
from storycanvas.faces.preferences import Preferences
from storycanvas.faces.recipes.pipeline import RecipeInput, SeenPicture
from tests.support.facefusion.driven_host import Done, DrivenHost
from tests.support.facefusion.made_pictures import (
    BLUE,
    LEFT,
    RED,
    RIGHT,
    WIDE,
    Colour,
    around,
    changed_box,
    encoded,
    halves,
    opened,
    plain,
)

DARK, LIGHT = (60, 60, 60), (180, 180, 180)
TEMPLATE = halves(DARK, LIGHT)
BOTH = halves(RED, BLUE)
"""A photo of two; FaceFusion's own choice is the larger face, the right one."""


def faces_of(host: DrivenHost, picture: bytes) -> tuple[DetectedFace, ...]:
    return host.done(DetectOperation(), picture).answer.faces or ()


def planned(host: DrivenHost, swap: CoupleSwap, files: dict[str, bytes]) -> Plan:
    """Plan from what the host finds, as a run does."""
    pipeline = couple_pipeline(swap)
    seen = {
        name: SeenPicture(
            opened(files[reference or ""]).size, faces_of(host, files[reference or ""])
        )
        for name, reference in pipeline.pictures.items()
    }
    references = {name: reference or "" for name, reference in pipeline.pictures.items()}
    return pipeline.recipe(RecipeInput(references, Preferences(), {}, seen))


def carried_out(host: DrivenHost, plan: Plan, files: dict[str, bytes]) -> list[Done]:
    at_hand = {}
    for picture in plan.pictures:
        image = opened(files[picture.reference])
        at_hand[picture.name] = files[picture.reference]
        if picture.cut is not None:
            x, y, width, height = picture.cut
            at_hand[picture.name] = encoded(image.crop((x, y, x + width, y + height)))
    done = []
    for step in plan.steps:
        done.append(host.done(step.operation, *(at_hand[name] for name in step.inputs)))
        at_hand[step.name] = done[-1].png
    return done


def nearer(image: Image.Image, place: float, *colours: Colour) -> Colour:
    """Which of some colours a face became more like."""
    before, after = (around(picture, place) for picture in (opened(TEMPLATE), image))
    moved = [new - old for old, new in zip(before, after, strict=True)]

    def agreement(colour: Colour) -> float:
        wanted = [c - old for old, c in zip(before, colour, strict=True)]
        return sum(m * w for m, w in zip(moved, wanted, strict=True))

    return max(colours, key=agreement)


ORDERS = {
    "one photo each": ({Person.HUSBAND: "red", Person.WIFE: "blue"}, Side.LEFT, (RED, BLUE)),
    "the other way": ({Person.HUSBAND: "red", Person.WIFE: "blue"}, Side.RIGHT, (BLUE, RED)),
}


@pytest.mark.parametrize(("photos", "side", "colours"), ORDERS.values(), ids=ORDERS)
def test_each_person_lands_where_asked_and_no_pixel_changes_elsewhere(
    resident_host: DrivenHost,
    photos: dict[Person, str],
    side: Side,
    colours: tuple[Colour, Colour],
) -> None:
    files = {"template": TEMPLATE, "red": plain(RED), "blue": plain(BLUE)}
    plan = planned(resident_host, CoupleSwap("template", photos, husband=side), files)

    done = carried_out(resident_host, plan, files)

    last = done[-1].picture
    assert (nearer(last, LEFT, RED, BLUE), nearer(last, RIGHT, RED, BLUE)) == colours
    before = TEMPLATE
    for step, made in zip(plan.steps, done, strict=True):
        box = step.operation.face_box
        assert box is not None
        x, y, width, height = widened(box, 0.15, WIDE)
        left, top, right, bottom = changed_box(before, made.picture) or (0, 0, 0, 0)
        assert x <= left < right <= x + width
        assert y <= top < bottom <= y + height
        before = made.png


@pytest.mark.parametrize("index", [0, 1])
def test_a_photo_of_two_gives_the_face_that_is_meant(resident_host: DrivenHost, index: int) -> None:
    """Without a cut FaceFusion would take the larger face of the photo each time."""
    files = {"template": TEMPLATE, "both": BOTH}
    mapping = {"source_photo": "wife", "source_face_index": index, "target_face_index": 1}
    swap = CoupleSwap("template", {Person.WIFE: "both"}, mappings=read_mappings([mapping]))
    meant = source_face(faces_of(resident_host, BOTH), index)

    (done,) = carried_out(resident_host, planned(resident_host, swap, files), files)

    colour = RED if meant.x < WIDE[0] // 2 else BLUE
    assert nearer(done.picture, RIGHT, RED, BLUE) == colour
