"""Enhance then swap: a face, restored, into a picture, restored again."""

from storycanvas.faces.operations import EnhancementModel, SwapOperation
from storycanvas.faces.plan import Gallery, Plan, PlanPicture, Step
from storycanvas.faces.preferences import Preferences
from storycanvas.faces.recipes.steps import (
    Choice,
    EnhancerChoice,
    SwapperChoice,
    enhancement,
    wants_enhancement,
)

SOURCE = "source"
TARGET = "target"


def enhance_then_swap(
    source_face: str,
    target_image: str,
    *,
    enhance_source: EnhancerChoice = Choice.AS_PREFERRED,
    enhance_result: EnhancerChoice = Choice.AS_PREFERRED,
    face_swapper_model: SwapperChoice = Choice.AS_PREFERRED,
    preferences: Preferences | None = None,
) -> Plan:
    """Plan the swap of a face into a picture, in one to three steps.

    Args:
        source_face: Reference of the picture with the face to put in.
        target_image: Reference of the picture that receives the face.
        enhance_source: Model that restores the source face first; the usual one is gfpgan_1.4.
        enhance_result: Model that restores the face in the result; the usual one is codeformer.
        face_swapper_model: Model that swaps.
        preferences: Settings of a preset and of the character.
    """
    chosen = preferences or Preferences()
    steps: list[Step] = []
    if wants_enhancement(enhance_source):
        usual = EnhancementModel.GFPGAN_1_4
        steps.append(_enhancing("enhance source", SOURCE, enhance_source, usual, chosen))
    face = steps[-1].name if steps else SOURCE
    enhanced = wants_enhancement(enhance_result)
    steps.append(_swapping(face, face_swapper_model, chosen, finished=not enhanced))
    if enhanced:
        usual = EnhancementModel.CODEFORMER
        steps.append(_enhancing("enhance result", "swap", enhance_result, usual, chosen))
    pictures = (
        PlanPicture(name=SOURCE, reference=source_face, label=SOURCE),
        PlanPicture(name=TARGET, reference=target_image, label=TARGET),
    )
    return Plan(pictures=pictures, steps=tuple(steps))


def _swapping(face: str, model: SwapperChoice, chosen: Preferences, *, finished: bool) -> Step:
    named = {} if model is Choice.AS_PREFERRED else {"face_swapper_model": model}
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
    name: str, of: str, model: EnhancerChoice, usual: EnhancementModel, chosen: Preferences
) -> Step:
    operation, sources = enhancement(model, usual, chosen)
    gallery = Gallery.ENHANCED_FACES if of == SOURCE else Gallery.SWAPPED_FACES
    return Step(
        name=name, operation=operation, inputs=(of,), gallery=gallery, label=name, sources=sources
    )
