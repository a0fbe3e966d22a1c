"""Pictures that are added for the couple face-swap: their names, their faces, and the report."""

import re
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Any, Literal
from urllib.parse import unquote

from pydantic import BaseModel, ConfigDict, Field

from storycanvas.couple.found_faces import from_the_left
from storycanvas.faces.contract import DetectedFace
from storycanvas.net.wording import counted

COUPLE = 2
"""Faces without which a template is of no use."""
NAMELESS = "picture"
_MAX_STEM = 200
_MAX_REASONS = 3

Outcome = Literal["added", "planned", "known", "failed"]


def stem_of(reference: str) -> str:
    """Give the name of a picture's file without its ending; an address loses its query first."""
    path = reference
    if "://" in reference:
        path = unquote(re.split(r"[?#]", reference.partition("://")[2])[0].partition("/")[2])
    stem = "".join(filter(str.isprintable, PurePosixPath(path).stem))
    return stem[:_MAX_STEM].strip() or NAMELESS


def written_faces(faces: Sequence[DetectedFace]) -> list[dict[str, Any]]:
    """Write faces as a template holds them: boxes in pixels, counted from the left."""
    return [
        {"index": index, **face.model_dump(include={"x", "y", "width", "height", "score"})}
        for index, face in enumerate(from_the_left(faces))
    ]


class AddedPicture(BaseModel):
    """What became of one picture.

    Attributes:
        picture: Where it came from, without secrets.
        outcome: `known` is one whose pixels had been added earlier; `planned` is what a dry run
            would add.
        faces: How many were found; None where it was not looked at.
        image_id: Id of its row of `images`.
        template_id: Id of its row of `templates`, where it is one.
        error: One sentence, where it was not added.
        code: Name of the kind of that error.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    picture: str
    outcome: Outcome
    faces: int | None = Field(None, ge=0)
    image_id: str | None = None
    template_id: str | None = None
    error: str | None = None
    code: str | None = None


class AddingReport(BaseModel):
    """What a run that adds pictures did.

    Attributes:
        pictures: What became of each, in order.
        faces_needed: Faces below which a picture is worth a warning.
        notes: What a person should know besides.
        expected: In a dry run, a sentence on what finding the faces would take.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    pictures: tuple[AddedPicture, ...]
    faces_needed: int = Field(1, ge=1)
    notes: tuple[str, ...] = ()
    expected: str = ""

    def of_outcome(self, outcome: Outcome) -> list[AddedPicture]:
        """List the pictures of an outcome."""
        return [each for each in self.pictures if each.outcome == outcome]

    def too_few_faces(self) -> list[AddedPicture]:
        """List the pictures that were taken and show fewer faces than are needed."""
        taken = [each for each in self.pictures if each.outcome != "failed"]
        return [each for each in taken if each.faces is not None and each.faces < self.faces_needed]

    def unseen(self) -> list[AddedPicture]:
        """List the pictures of a dry run in which a host has still to find the faces."""
        return [each for each in self.of_outcome("planned") if each.faces is None]

    def summary(self) -> str:
        """Count what was added, was there, and was not added, with the first reasons."""
        added, planned = self.of_outcome("added"), self.of_outcome("planned")
        parts = [f"{len(planned)} would be added" if planned else f"{len(added)} added"]
        parts += [f"{len(found)} there already"] if (found := self.of_outcome("known")) else []
        failed = self.of_outcome("failed")
        parts += [f"{len(failed)} not added"] if failed else []
        text = f"{counted(len(self.pictures), 'picture')}: {', '.join(parts)}."
        if few := self.too_few_faces():
            text += f" {len(few)} with {self._too_few()}."
        if unseen := self.unseen():
            text += f" The faces in {len(unseen)} the host will see."
        reasons = (f"{each.picture}: {each.error}" for each in failed[:_MAX_REASONS])
        return " ".join(filter(None, [text, self.expected, *reasons]))

    def warnings(self) -> list[str]:
        """Name what was not added, and what shows too few faces, a sentence each."""
        failed = [
            f"{each.picture} is not added: {each.error}" for each in self.of_outcome("failed")
        ]
        few = [
            f"{each.picture} shows {counted(each.faces or 0, 'face')}."
            for each in self.too_few_faces()
        ]
        return [*self.notes, *failed, *few]

    def rows(self) -> list[dict[str, Any]]:
        """Write the pictures as rows of a table."""
        return [each.model_dump() for each in self.pictures]

    def _too_few(self) -> str:
        return "no face" if self.faces_needed == 1 else f"fewer than {self.faces_needed} faces"
