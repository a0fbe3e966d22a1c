"""What a report shows of a measured picture: flat, of the face that the step changed."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from storycanvas.faces.measures.measure import FaceMeasure, LikenessScale, PictureMeasure
from storycanvas.faces.results.checks import BoundOrigin, Verdict

_UNCHECKED = Verdict()


class StepMeasure(BaseModel):
    """What was measured of a step's picture; None is not measured.

    Attributes:
        asked_age: Years that the picture is to show.
        given_age: Years that the model was given for it, where they are others.
        read_age: Years that the changed face looks; that of the largest face where it is not known
            which was changed.
        likeness: Distance of the changed face to the one it is compared with; 0 is the same.
        likeness_before: Distance of that face to the source before a swap.
        compared_with: `source` of a swap, or `input`: the same face before.
        others: Largest distance between a face that was not chosen and itself before.
        likeness_scale: Whose distances they are; those of two scales cannot be compared.
        same_below: Distance below which the likeness counts as one person's.
        bound_origin: What that bound comes from: the setting `same_person_below`, the character's
            `references`, or the `usual` one of the scale.
        bound_reason: Why it is the usual one although the run has a character.
        faces: How many faces the picture shows.
        yaw: Degrees by which the head is turned to the right edge of the picture.
        pitch: Degrees by which it is turned upwards.
        roll: Degrees by which it is tilted clockwise.
        notes: What a person should know about the picture.
        not_measured: Why something was not measured.
        seconds: What measuring took; 0 where the ledger had it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    asked_age: int | None = None
    given_age: int | None = None
    read_age: float | None = None
    likeness: float | None = None
    likeness_before: float | None = None
    compared_with: Literal["source", "input"] | None = None
    others: float | None = None
    likeness_scale: LikenessScale | None = None
    same_below: float | None = None
    bound_origin: BoundOrigin | None = None
    bound_reason: str = ""
    faces: int | None = None
    yaw: float | None = None
    pitch: float | None = None
    roll: float | None = None
    notes: tuple[str, ...] = ()
    not_measured: tuple[str, ...] = ()
    seconds: float = Field(0.0, ge=0)

    def line(self) -> str:
        """Write the age and the likeness in a few words: `asked 65, read 38 · likeness 0.31`."""
        parts = []
        if self.read_age is not None:
            asked = f"asked {self.asked_age}, " if self.asked_age is not None else ""
            asked += f"given {self.given_age}, " if self.given_age is not None else ""
            parts.append(f"{asked}read {self.read_age:.0f}")
        if self.likeness is not None:
            before = f"{self.likeness_before:.2f} to " if self.likeness_before is not None else ""
            parts.append(f"likeness {before}{self.likeness:.2f}")
        return " · ".join(parts) or "not measured"

    def bound(self) -> str:
        """Write the bound of the likeness and what it comes from; empty where it was not checked.

        Such as `0.27, by the reference images`.
        """
        if self.same_below is None or self.bound_origin is None:
            return ""
        origin = _ORIGINS[self.bound_origin]
        return ": ".join(filter(None, (f"{self.same_below:.2f}, {origin}", self.bound_reason)))

    def pose(self) -> str:
        """Write the angles of the head; empty where they were not measured."""
        if self.yaw is None or self.pitch is None or self.roll is None:
            return ""
        return f"yaw {self.yaw:.0f}, pitch {self.pitch:.0f}, roll {self.roll:.0f}"


_ORIGINS: dict[BoundOrigin, str] = {
    "setting": "by the setting same_person_below",
    "references": "by the character's reference images",
    "usual": "the usual one",
}


def step_measure(
    measure: PictureMeasure,
    asked_age: int | None,
    *,
    given_age: int | None = None,
    seconds: float = 0.0,
    verdict: Verdict = _UNCHECKED,
) -> StepMeasure:
    """Flatten a measure with what the checks found; their notes are added to its own."""
    face, likeness, bound = _face(measure), measure.likeness, verdict.bound
    return StepMeasure(
        asked_age=asked_age,
        given_age=given_age,
        read_age=face.age if face else None,
        likeness=likeness.after if likeness else None,
        likeness_before=likeness.before if likeness else None,
        compared_with=likeness.compared_with if likeness else None,
        others=likeness.others if likeness else None,
        likeness_scale=likeness.scale if likeness else None,
        same_below=bound.same_below if bound else None,
        bound_origin=bound.origin if bound else None,
        bound_reason=bound.reason if bound else "",
        faces=None if measure.faces is None else len(measure.faces),
        yaw=face.yaw if face else None,
        pitch=face.pitch if face else None,
        roll=face.roll if face else None,
        notes=(*measure.notes, *verdict.notes),
        not_measured=measure.not_measured,
        seconds=round(seconds, 3),
    )


def _face(measure: PictureMeasure) -> FaceMeasure | None:
    """Find the face that was changed, else the largest."""
    return measure.faces[measure.chosen or 0] if measure.faces else None
