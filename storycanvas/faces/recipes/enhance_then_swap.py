"""Enhance then swap: a face, restored, into a picture, restored again."""

from storycanvas.faces.operations import EnhancementModel, FaceSwapperModel, SwapOperation
from storycanvas.faces.plan import Gallery, Plan, PlanPicture, Step
from storycanvas.faces.preferences import Preferences
from storycanvas.faces.recipes.steps import enhancement

SOURCE = "source"
TARGET = "target"


def enhance_then_swap(
    source_face: str,
    target_image: str,
    *,
    enhance_source: EnhancementModel | None = EnhancementModel.GFPGAN_1_4,
    enhance_result: EnhancementModel | None = EnhancementModel.CODEFORMER,
    face_swapper_model: FaceSwapperModel = FaceSwapperModel.INSWAPPER_128,
    preferences: Preferences | None = None,
) -> Plan:
    """Plan the swap of a face into a picture, in one to three steps.

    Args:
        source_face: Reference of the picture with the face to put in.
        target_image: Reference of the picture that receives the face.
        enhance_source: Model that restores the source face first, or None.
        enhance_result: Model that restores the face in the result, or None.
        face_swapper_model: Model that swaps.
        preferences: Settings of a preset and of the character.
    """
    chosen = preferences or Preferences()
    steps: list[Step] = []
    if enhance_source is not None:
        usual = EnhancementModel.GFPGAN_1_4
        steps.append(_enhancing("enhance source", SOURCE, enhance_source, usual, chosen))
    face = steps[-1].name if steps else SOURCE
    steps.append(_swapping(face, face_swapper_model, chosen, finished=enhance_result is None))
    if enhance_result is not None:
        usual = EnhancementModel.CODEFORMER
        steps.append(_enhancing("enhance result", "swap", enhance_result, usual, chosen))
    pictures = (
        PlanPicture(name=SOURCE, reference=source_face, label=SOURCE),
        PlanPicture(name=TARGET, reference=target_image, label=TARGET),
    )
    return Plan(pictures=pictures, steps=tuple(steps))


def _swapping(face: str, model: FaceSwapperModel, chosen: Preferences, *, finished: bool) -> Step:
    named = {"face_swapper_model": model} if model is not FaceSwapperModel.INSWAPPER_128 else {}
    operation, sources = chosen.resolve(SwapOperation, fitted={}, explicit=named)
    return Step(
        name="swap",
        operation=operation,
        inputs=(face, TARGET),
        gallery=Gallery.SWAPPED_FACES if finished else None,
        label="swap",
        sources=sources,
    )


def _enhancing(
    name: str, of: str, model: EnhancementModel, usual: EnhancementModel, chosen: Preferences
) -> Step:
    operation, sources = enhancement(model, usual, chosen)
    gallery = Gallery.ENHANCED_FACES if of == SOURCE else Gallery.SWAPPED_FACES
    return Step(
        name=name, operation=operation, inputs=(of,), gallery=gallery, label=name, sources=sources
    )
