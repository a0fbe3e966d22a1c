"""The pipeline of a couple face swap: look at each picture, decide, swap face by face."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from storycanvas.couple.found_faces import TemplateFaces, source_face
from storycanvas.couple.placing import FaceMapping, HusbandOn, Placement, placements
from storycanvas.couple.remarks import placement_remarks
from storycanvas.couple.source_cut import source_cut
from storycanvas.couple.written_faces import FaceData, Person
from storycanvas.faces.errors import BadField
from storycanvas.faces.operations import (
    EnhancementModel,
    FaceSelectorMode,
    FaceSelectorOrder,
    SwapOperation,
)
from storycanvas.faces.pictures.boxes import box_of
from storycanvas.faces.plan import Gallery, Plan, PlanPicture, Step
from storycanvas.faces.preferences import Preferences
from storycanvas.faces.recipes.pipeline import Pipeline, RecipeInput, SeenPicture
from storycanvas.faces.recipes.steps import Choice, EnhancerChoice, enhancement, wants_enhancement
from storycanvas.faces.settings import FaceSettings

TEMPLATE = "template"

FACE_CHOICE = (
    "face_position",
    "face_box",
    "face_selector_mode",
    "face_selector_order",
    "reference_image",
    "face_of",
)
"""Settings that choose a face; here that is decided by who goes where."""


@dataclass(frozen=True)
class CoupleSwap:
    """What one couple face swap is made from.

    Attributes:
        template: Reference of the picture that receives the faces.
        photos: References of the persons' pictures; only those that a mapping names are needed.
        face_data: What the template's documents tell of its faces.
        mappings: Who goes where; empty leaves it to roles, genders and `husband`.
        husband: Where he is; None leaves it to the genders, else it is the left.
        enhance: Model that restores all faces of the result.
    """

    template: str
    photos: Mapping[Person, str]
    face_data: FaceData = field(default_factory=FaceData)
    mappings: tuple[FaceMapping, ...] = ()
    husband: HusbandOn | None = None
    enhance: EnhancerChoice = Choice.NONE

    @property
    def persons(self) -> tuple[Person, ...]:
        """Whose photos are needed."""
        named = {mapping.source_photo for mapping in self.mappings} or set(Person)
        return tuple(person for person in Person if person in named)


def couple_pipeline(swap: CoupleSwap) -> Pipeline:
    """Make the pipeline of a couple face swap.

    The recipe raises OutOfRange or NoFace where it cannot be decided who goes where.

    Raises:
        BadField: The photo of a person is missing.
    """
    missing = [person for person in swap.persons if person not in swap.photos]
    if missing:
        raise BadField(f"The photo of the {missing[0]} is missing; name a picture for it.")
    seen_as = _looked_at(swap)
    pictures = {TEMPLATE: swap.template} | {name: swap.photos[name] for name in seen_as.values()}

    def recipe(found: RecipeInput) -> Plan:
        photos = {person: found.seen[name] for person, name in seen_as.items()}
        return couple_plan(swap, found.seen[TEMPLATE], photos, found.preferences)

    return Pipeline(pictures, recipe, every_face=True, givers=set(seen_as.values()))


def _looked_at(swap: CoupleSwap) -> dict[Person, Person]:
    """Name the picture in which a person's faces are found: a photo of both is looked at once."""
    first: dict[str, Person] = {}
    return {person: first.setdefault(swap.photos[person], person) for person in swap.persons}


def refuse_face_choice(settings: FaceSettings | None) -> None:
    """Refuse settings that choose a face.

    Raises:
        BadField: There is one.
    """
    usual = FaceSettings()
    given = settings or usual
    chosen = [name for name in FACE_CHOICE if getattr(given, name) != getattr(usual, name)]
    if chosen:
        raise BadField(
            f"The setting {chosen[0]} chooses a face, which face_mappings and husband do here; "
            "leave it empty."
        )


def couple_plan(
    swap: CoupleSwap,
    template: SeenPicture,
    photos: Mapping[Person, SeenPicture],
    preferences: Preferences,
) -> Plan:
    """Plan a couple face swap from what was seen in its pictures.

    Raises:
        OutOfRange: There is no face of an index or a place.
        NoFace: There are fewer than two faces without a mapping, or a written box fits none.
    """
    faces = TemplateFaces(template.faces, template.size, swap.face_data)
    placed = placements(faces, swap.mappings, swap.husband)
    pictures = [PlanPicture(name=TEMPLATE, reference=swap.template, label=TEMPLATE)]
    steps: list[Step] = []
    names: dict[str, str] = {}
    for number, placement in enumerate(placed, start=1):
        photo = _photo(swap, placement, photos[placement.person])
        if photo not in pictures:
            pictures.append(photo)
        names[placement.person] = photo.name
        target = steps[-1].name if steps else TEMPLATE
        steps.append(_swapping(number, placement, (photo.name, target), preferences))
    steps = _finished(steps, swap.enhance, preferences)
    remarks = placement_remarks(placed, faces.detected, photos)
    return Plan(
        pictures=tuple(pictures),
        steps=tuple(steps),
        warnings=(*_same_face(pictures[1:]), *remarks.warnings),
        about={text: names[person] for text, person in remarks.about.items()},
        notes=remarks.notes,
    )


def _same_face(photos: Sequence[PlanPicture]) -> tuple[str, ...]:
    """Warn of persons who have the same face of the same photo."""
    shown = {(photo.reference, photo.cut) for photo in photos}
    if len(shown) == len(photos):
        return ()
    return (
        (
            "Husband and wife have the same face of the same photo; name their faces as "
            "source_face_index in face_mappings."
        ),
    )


def _photo(swap: CoupleSwap, placement: Placement, seen: SeenPicture) -> PlanPicture:
    """Name a person's picture, cut around the face that is meant where it shows others, too."""
    index = placement.source_face_index
    face = source_face(seen.faces, index)
    name = str(placement.person) if index == 0 else f"{placement.person}, face {index}"
    return PlanPicture(
        name=name,
        reference=swap.photos[placement.person],
        label=name,
        cut=source_cut(face, seen.faces, seen.size),
    )


def _swapping(
    number: int, placement: Placement, inputs: tuple[str, str], preferences: Preferences
) -> Step:
    # FaceFusion takes the largest face of a source picture, the preview engine the first in order.
    chosen = {
        "face_selector_mode": FaceSelectorMode.ONE,
        "face_selector_order": FaceSelectorOrder.LARGE_SMALL,
        "face_position": 0,
        "face_box": box_of(placement.target),
        "within_box": True,
    }
    operation, sources = preferences.resolve(SwapOperation, fitted={}, explicit=chosen)
    return Step(
        name=f"swap {number}, {placement.person}",
        operation=operation,
        inputs=inputs,
        label=f"swap {number}, {placement.person}",
        sources={name: source for name, source in sources.items() if name not in chosen},
    )


def _finished(
    steps: Sequence[Step], enhance: EnhancerChoice, preferences: Preferences
) -> list[Step]:
    gallery = {"gallery": Gallery.SWAPPED_FACES}
    if not wants_enhancement(enhance):
        return [*steps[:-1], steps[-1].model_copy(update=gallery)]
    named = {"face_selector_mode": FaceSelectorMode.MANY}
    operation, sources = enhancement(enhance, EnhancementModel.CODEFORMER, preferences, named)
    last = Step(
        name="enhance result",
        operation=operation,
        inputs=(steps[-1].name,),
        label="enhance result",
        sources={name: source for name, source in sources.items() if name not in named},
        **gallery,
    )
    return [*steps, last]
