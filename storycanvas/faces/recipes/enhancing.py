"""Restoring pictures: each with one model, or one picture with several models side by side."""

from collections.abc import Sequence

from storycanvas.faces.errors import OutOfRange
from storycanvas.faces.operations import EnhancementModel, EnhanceOperation
from storycanvas.faces.plan import Gallery, Plan, PlanPicture, Step
from storycanvas.faces.preferences import Preferences
from storycanvas.faces.recipes.pipeline import Pipeline, RecipeInput
from storycanvas.faces.recipes.steps import Choice, EnhancerChoice, enhancement, numbered

PICTURE = "picture"
MAX_COMPARED = 36
"""Cells of a sheet in which faces can still be compared."""

OWNERS_MODELS = (
    EnhancementModel.GFPGAN_1_4,
    EnhancementModel.CODEFORMER,
    EnhancementModel.RESTOREFORMER_PLUS_PLUS,
)
"""The names that StoryCanvas uses."""


def enhance_faces(
    pictures: Sequence[str],
    *,
    enhance: EnhancerChoice = Choice.AS_PREFERRED,
    preferences: Preferences | None = None,
) -> Plan:
    """Plan the restoration of the face in each picture; one that fails stops no other.

    Args:
        pictures: References.
        enhance: Model that restores.
        preferences: Settings of a preset, of the character and of the form.
    """
    operation, sources = enhancement(
        enhance, EnhancementModel.GFPGAN_1_4, preferences or Preferences()
    )
    named = numbered(PICTURE, pictures)
    return Plan(
        pictures=tuple(
            PlanPicture(name=name, reference=reference, label=name, required=len(named) == 1)
            for name, reference in named.items()
        ),
        steps=tuple(
            Step(
                name=f"enhance {name}",
                operation=operation,
                inputs=(name,),
                gallery=Gallery.ENHANCED_FACES,
                label=f"{name} enhanced",
                sources=sources,
            )
            for name in named
        ),
        columns=2,
    )


def enhancing_pipeline(*, pictures: Sequence[str], enhance: EnhancerChoice) -> Pipeline:
    """Make the pipeline of the flow `enhance-faces`, whose parameters these are."""

    def recipe(found: RecipeInput) -> Plan:
        given = [*found.pictures.values()]
        return enhance_faces(given, enhance=enhance, preferences=found.preferences)

    return Pipeline(numbered(PICTURE, [*pictures] or [None]), recipe)


def compare_enhancers(
    picture: str,
    models: Sequence[EnhancementModel] = OWNERS_MODELS,
    blends: Sequence[float] = (1.0,),
    *,
    keep: bool = False,
    preferences: Preferences | None = None,
) -> Plan:
    """Plan one picture restored by each model with each blend: rows models, columns blends.

    Args:
        picture: Reference.
        models: Models, each once.
        blends: Shares of the result, 0 to 1, each once.
        keep: Whether the pictures go to the gallery's `custom_outputs`.
        preferences: Settings of a preset, of the character and of the form.

    Raises:
        OutOfRange: There are more than 36 pictures to compare.
    """
    models, blends = list(dict.fromkeys(models)), list(dict.fromkeys(blends))
    if len(models) * len(blends) > MAX_COMPARED:
        raise OutOfRange(
            f"{len(models)} models with {len(blends)} blends are {len(models) * len(blends)} "
            f"pictures; a sheet compares at most {MAX_COMPARED}."
        )
    chosen = preferences or Preferences()
    steps = []
    for model in models:
        for blend in blends:
            named = {"enhancement_model": model, "face_enhancer_blend": blend}
            operation, sources = chosen.resolve(EnhanceOperation, fitted={}, explicit=named)
            name = f"{model} {blend:g}"
            steps.append(
                Step(
                    name=name,
                    operation=operation,
                    inputs=(PICTURE,),
                    gallery=Gallery.CUSTOM_OUTPUTS if keep else None,
                    label=name,
                    sources=sources,
                )
            )
    before = PlanPicture(name=PICTURE, reference=picture, label="before")
    columns = 1 + (len(blends) if len(blends) > 1 else min(len(models), 3))
    return Plan(pictures=(before,), steps=tuple(steps), columns=min(columns, 12))
