"""Pipeline: pictures and the recipe that plans from them, before a run knows whose they are."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from storycanvas.faces.contract import DetectedFace
from storycanvas.faces.plan import Plan
from storycanvas.faces.preferences import Preferences
from storycanvas.faces.sources.trust import NamedBy


@dataclass(frozen=True)
class SeenPicture:
    """A picture that was looked at.

    Attributes:
        size: Width and height in pixels of what was looked at.
        faces: All faces that were found, in the order of the selector.
    """

    size: tuple[int, int]
    faces: tuple[DetectedFace, ...]


@dataclass(frozen=True)
class RecipeInput:
    """What a recipe plans from.

    Attributes:
        pictures: References by the names that the pipeline gave them.
        preferences: Settings of every source.
        estimated_ages: The engine's estimates in years by picture; None where it gives none.
        seen: What was found in the pictures, by name; empty where none was looked at.
    """

    pictures: Mapping[str, str]
    preferences: Preferences
    estimated_ages: Mapping[str, float | None]
    seen: Mapping[str, SeenPicture] = field(default_factory=dict)


Recipe = Callable[[RecipeInput], Plan]


@dataclass(frozen=True)
class Pipeline:
    """What a face flow does, for any character.

    Attributes:
        pictures: References by name; None is the character's first reference image.
        recipe: Makes the plan, once the pictures have been looked at.
        source: The picture whose face the work starts from; None looks at no picture before, but
            for `every_face`.
        givers: Pictures that only give their face; the settings choose a face in the others.
        named_by: Who named all pictures, the character's own and that of the settings included.
        every_face: Whether the recipe chooses among all faces of the pictures, and says itself what
            there is to say of those it took.
        refines: Whether ages that are read too far from what was asked are made once more.
    """

    pictures: Mapping[str, str | None]
    recipe: Recipe
    source: str | None = None
    givers: Collection[str] = ()
    named_by: NamedBy = NamedBy.PERSON
    every_face: bool = False
    refines: bool = False

    @property
    def looks(self) -> bool:
        """Whether the pictures are looked at before anything is planned."""
        return self.every_face or self.source is not None
