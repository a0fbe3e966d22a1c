"""Makes the pictures of the pages in docs/pipelines, with the recipes and the preview engine.

    python -m tests.support.pages.pipeline_pictures [PAGE ...]

Each page gets one contact sheet: the plan of its pipeline is carried out in this process on the
sample pictures, without host, database or Prefect, and drawn as a run draws it, with what the
measures read below each face: likeness needs `make likeness`. What each page says of costs is
counted from the same plans (tests/unit/tree/test_pipeline_pages.py).
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from deployments.sample import PORTRAIT, TARGET
from storycanvas.couple.swap import CoupleSwap, couple_pipeline
from storycanvas.couple.written_faces import Person
from storycanvas.faces.chain import shipped_chains
from storycanvas.faces.contract import DetectedFace
from storycanvas.faces.measures.ages import NetworkAge
from storycanvas.faces.measures.landmarks import MeshFinder
from storycanvas.faces.measures.likeness import likeness_meter
from storycanvas.faces.measures.measure import Bytes, LandmarkedFace
from storycanvas.faces.operations import AgeAdjustOperation, DetectOperation, EnhancementModel
from storycanvas.faces.pictures.reading import Picture, normal_form
from storycanvas.faces.plan import Plan
from storycanvas.faces.preferences import Preferences
from storycanvas.faces.recipes.age_progression import age_progression
from storycanvas.faces.recipes.chain import chain_plan
from storycanvas.faces.recipes.enhance_then_swap import enhance_then_swap
from storycanvas.faces.recipes.enhancing import compare_enhancers
from storycanvas.faces.recipes.expression import Sweep, edit_expression
from storycanvas.faces.recipes.finding import mask_face
from storycanvas.faces.recipes.pipeline import RecipeInput, SeenPicture
from storycanvas.faces.recipes.steps import Choice
from storycanvas.faces.reports.measures import StepMeasure
from storycanvas.faces.sheets.annotations import mask_overlay, numbered_boxes
from storycanvas.faces.sheets.contact_sheet import SheetEntry, contact_sheet, cut_out
from storycanvas.host.engines.preview import PreviewEngine
from tests.support.paths import ROOT

FOLDER = ROOT / "docs" / "pipelines" / "images"
CELL = 200
BASE_AGE = 33
"""Years of the sample portrait."""

Made = Mapping[str, Picture]
Row = list[SheetEntry]

ENGINE, FINDER, AGES = PreviewEngine(), MeshFinder(), NetworkAge()


def main(pages: Sequence[str] = (), folder: Path = FOLDER) -> int:
    """Write the pictures of these pages, or of all."""
    folder.mkdir(exist_ok=True)
    for page in pages or PAGES:
        (folder / f"{page}.jpg").write_bytes(contact_sheet(PAGES[page](), cell=CELL))
    return 0


def portrait() -> Picture:
    """Open the sample portrait."""
    return normal_form(Image.open(PORTRAIT).convert("RGB"))


def target() -> Picture:
    """Open the picture that faces are swapped into, smaller, as half a couple."""
    return normal_form(Image.open(TARGET).convert("RGB").resize((600, 480)))


def carried_out(plan: Plan, pictures: Made) -> dict[str, Picture]:
    """Make the picture of each step, beside those that a plan starts from."""
    made = dict(pictures)
    for step in plan.steps:
        result = ENGINE.run(step.operation, [made[name] for name in step.inputs])
        if result.picture is None:
            raise ValueError(f"{step.name} makes no picture.")
        made[step.name] = result.picture
    return made


def faces(picture: Picture) -> Sequence[DetectedFace]:
    """Find the faces of a picture, from the left."""
    return ENGINE.run(DetectOperation(), [picture]).faces


def shown(
    label: str,
    note: str,
    picture: Picture,
    *,
    whole: bool = False,
    like: Picture | None = None,
) -> SheetEntry:
    """Make a cell with the face of a picture, or with all of it; told is what measures read."""
    face = None if whole else faces(picture)[0]
    box = (face.x, face.y, face.width, face.height) if face else None
    measured = "" if face is None else _measured(picture, like)
    return SheetEntry(label, note, cut_out(picture.image, box), measured=measured)


def _measured(picture: Picture, like: Picture | None) -> str:
    """Read the age of the first face, and its distance to that of the person's picture."""
    rgb, face = _seen(picture)
    likeness = None
    if like is not None:
        [likeness] = likeness_meter().distances(_seen(like), (rgb, (face,)))
    return StepMeasure(read_age=AGES.read(rgb, face), likeness=likeness).line()


def _seen(picture: Picture) -> tuple[Bytes, LandmarkedFace]:
    rgb = np.asarray(picture.image.convert("RGB"))
    return rgb, FINDER.find(rgb)[0]


def of_plan(plan: Plan, pictures: Made, names: Mapping[str, str]) -> Row:
    """Carry out a plan and show some of its pictures by their names, each with a note.

    The first picture is the person's: the others tell how like it they are.
    """
    made = carried_out(plan, pictures)
    labels = {part.name: part.label or part.name for part in (*plan.pictures, *plan.steps)}
    person = next(iter(pictures))
    return [
        shown(labels[name], note, made[name], like=None if name == person else made[person])
        for name, note in names.items()
    ]


def ages() -> list[Row]:
    """Show the ages of the form."""
    plan = age_progression(str(PORTRAIT), BASE_AGE, [16, 25, 45, 65])
    names = {"base": "input"} | {f"enhance age {age}": "aged, restored" for age in (16, 25, 45, 65)}
    return [of_plan(plan, {"base": portrait()}, names)]


def swap() -> list[Row]:
    """Show a face in another picture."""
    plan = enhance_then_swap(str(PORTRAIT), str(TARGET))
    names = {"source": "input", "target": "input", "swap": "swapped", "enhance result": "restored"}
    return [of_plan(plan, {"source": portrait(), "target": target()}, names)]


def blends() -> list[Row]:
    """Show one picture restored with several blends; the preview engine has one model."""
    model = EnhancementModel.GFPGAN_1_4
    plan = compare_enhancers(str(TARGET), (model,), (0.4, 0.7, 1))
    names = {"picture": "input"} | {f"{model} {blend:g}": "restored" for blend in (0.4, 0.7, 1)}
    return [of_plan(plan, {"picture": target()}, names)]


def smiles() -> list[Row]:
    """Show a sweep of one value of the editor."""
    sweep = Sweep(field="face_editor_mouth_smile", values=[-80, -40, 40, 80])
    plan = edit_expression(str(PORTRAIT), {}, sweep=sweep)
    names = {"base": "input"} | {step.name: "edited" for step in plan.steps}
    return [of_plan(plan, {"base": portrait()}, names)]


def findings() -> list[Row]:
    """Show a mask, and the numbered faces of a group."""
    picture, group = portrait(), _couple()
    mask = carried_out(mask_face(str(PORTRAIT)), {"picture": picture})["mask"]
    boxes = [(face.x, face.y, face.width, face.height) for face in faces(group)]
    return [
        [
            SheetEntry("mask-face", "input", cut_out(picture.image, None)),
            SheetEntry("mask", "white may change", cut_out(mask.image, None)),
            SheetEntry("on the picture", "red may change", mask_overlay(picture.image, mask.image)),
            SheetEntry("detect-faces", "2 faces", numbered_boxes(group.image, boxes)),
        ]
    ]


def chain() -> list[Row]:
    """Show a chain that comes with the project."""
    plan = chain_plan(shipped_chains()["enhance-and-age"], {"start": str(PORTRAIT)})
    names = {"start": "input", "enhanced": "enhance", "aged": "age_adjust", "result": "enhance"}
    return [of_plan(plan, {"start": portrait()}, names)]


def couple() -> list[Row]:
    """Put the portrait at two ages, as two persons, into a picture of two faces."""
    his, hers = (carried_out_age(portrait(), age) for age in (20, 65))
    pictures = {"template": _couple(), "husband": his, "wife": hers}
    pipeline = couple_pipeline(
        CoupleSwap("template", {Person.HUSBAND: "husband", Person.WIFE: "wife"})
    )
    seen = {
        name: SeenPicture((made.width, made.height), tuple(faces(made)))
        for name, made in pictures.items()
    }
    references = {name: name for name in pipeline.pictures}
    plan = pipeline.recipe(RecipeInput(references, Preferences(), {}, seen))
    made = carried_out(plan, pictures)
    return [
        [
            shown("husband", "input", his),
            shown("wife", "input", hers),
            shown("template", "input", pictures["template"], whole=True),
            shown("result", "two swaps", made[plan.steps[-1].name], whole=True),
        ]
    ]


def carried_out_age(picture: Picture, age: int) -> Picture:
    """Make a picture at another age."""
    return ENGINE.run(AgeAdjustOperation(target_age=age), [picture]).picture or picture


def batch() -> list[Row]:
    """Show single operations on one picture, each for itself."""
    picture = portrait()
    smile = edit_expression(str(PORTRAIT), {"face_editor_mouth_smile": 60})
    old = age_progression(str(PORTRAIT), BASE_AGE, [50], enhance=Choice.NONE)
    blend = compare_enhancers(str(PORTRAIT), (EnhancementModel.GFPGAN_1_4,))
    restored = carried_out(blend, {"picture": picture})
    aged, edited = (carried_out(plan, {"base": picture}) for plan in (old, smile))
    return [
        [
            shown("picture", "input", picture),
            shown("0", "enhance", restored["gfpgan_1.4 1"], like=picture),
            shown("1", "age_adjust 50", aged["age 50"], like=picture),
            shown("2", "edit", edited["edit"], like=picture),
        ]
    ]


def _couple() -> Picture:
    """Lay the face of the target and its mirror image side by side."""
    half = target().image.crop((215, 0, 515, 480))
    wide = Image.new("RGB", (2 * half.width, half.height))
    wide.paste(ImageOps.mirror(half), (0, 0))
    wide.paste(half, (half.width, 0))
    return normal_form(wide)


PAGES: Mapping[str, Callable[[], list[Row]]] = {
    "age-progression": ages,
    "enhance-then-swap": swap,
    "enhance-faces": blends,
    "edit-expression": smiles,
    "finding-faces": findings,
    "face-chain": chain,
    "couple-face-swap": couple,
    "batch-process": batch,
}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
