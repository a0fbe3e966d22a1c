"""Which pictures of a gallery drifted from their character or from the age they are to show."""

from collections.abc import Iterable, Sequence
from statistics import median

from pydantic import BaseModel, ConfigDict

AGE_OFF = 10.0
"""Years by which a read age may differ from the asked one: twice the age network's usual error."""
MAX_OUTLIERS = 500
"""Of all characters together; all measures are in the database."""


class AuditedPicture(BaseModel):
    """A picture of a gallery as it was measured.

    Attributes:
        gallery: The list that has it.
        asked_age: Years that it is to show; None but for `age_variants`.
        faces: How many faces it shows; None where it could not be read.
        age: Years, read; None where it was not measured.
        distance: To the nearest reference image; None where it was not measured.
        same_below: A nearer face shows the character.
        problem: Why it could not be measured, in a sentence.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    picture: str
    gallery: str
    asked_age: int | None = None
    faces: int | None = None
    age: float | None = None
    distance: float | None = None
    same_below: float | None = None
    problem: str = ""

    @property
    def remarks(self) -> tuple[str, ...]:
        """What is wrong with it, in words; empty for most."""
        if self.problem:
            return (self.problem,)
        if self.faces == 0:
            return ("no face was found in it",)
        found = []
        if self.is_unlike:
            found.append(f"unlike the character: distance {self.distance:.2f}")
            found[-1] += f", bound {self.same_below:.2f}"
        if self.is_off_age:
            found.append(f"asked for {self.asked_age} years, read as {self.age:.0f}")
        return tuple(found)

    @property
    def is_unlike(self) -> bool:
        """Whether the face is farther from the references than the character's bound."""
        known = self.distance is not None and self.same_below is not None
        return known and (self.distance or 0.0) >= (self.same_below or 0.0)

    @property
    def is_off_age(self) -> bool:
        """Whether the read age is far from the asked one."""
        known = self.asked_age is not None and self.age is not None
        return known and abs((self.asked_age or 0) - (self.age or 0.0)) > AGE_OFF

    @property
    def badness(self) -> float:
        """What puts the worst outliers first: a face of another person before a wrong age."""
        unlike = (self.distance or 0.0) / (self.same_below or 1.0) if self.is_unlike else 0.0
        off = abs((self.asked_age or 0) - (self.age or 0.0)) / 100 if self.is_off_age else 0.0
        return 10 * unlike + off + (5.0 if self.faces == 0 else 0.0)


class CharacterAudit(BaseModel):
    """The gallery of one character.

    Attributes:
        pictures: Of its gallery.
        measured: How many of them were measured by this run.
        not_measured: What could not be measured of all, in sentences.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    character_id: str
    name: str
    pictures: tuple[AuditedPicture, ...]
    measured: int = 0
    not_measured: tuple[str, ...] = ()

    def outliers(self) -> tuple[AuditedPicture, ...]:
        """List the pictures with a remark, the worst first."""
        found = [picture for picture in self.pictures if picture.remarks]
        return tuple(sorted(found, key=lambda picture: -picture.badness))


class CharacterSummary(BaseModel):
    """What a report keeps of a character's audit.

    Attributes:
        typical: Median distance of its pictures; None where likeness was not measured.
        outliers: The worst first; a share of `MAX_OUTLIERS`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    character_id: str
    name: str
    pictures: int
    measured: int
    unlike: int
    off_age: int
    without_face: int
    unreadable: int
    typical: float | None
    outliers: tuple[AuditedPicture, ...]


class LikenessReport(BaseModel):
    """How like the pictures of galleries are to their characters, and how old they look.

    Attributes:
        subject: Whose galleries, in words.
        characters: Those with most outliers first.
        not_measured: What was not measured and why, in sentences.
        forgotten: Measures of pictures that are in no gallery any more, which were removed.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    subject: str
    characters: tuple[CharacterSummary, ...]
    not_measured: tuple[str, ...] = ()
    forgotten: int = 0

    def summary(self) -> str:
        """Count what was found."""
        counts = {
            "unlike their character": sum(each.unlike for each in self.characters),
            f"more than {AGE_OFF:g} years off": sum(each.off_age for each in self.characters),
            "without a face": sum(each.without_face for each in self.characters),
            "that could not be read": sum(each.unreadable for each in self.characters),
        }
        pictures = sum(each.pictures for each in self.characters)
        measured = sum(each.measured for each in self.characters)
        found = ", ".join(f"{number} {what}" for what, number in counts.items() if number)
        return (
            f"{pictures} pictures of {self.subject}, {measured} of them measured now: "
            f"{found or 'no outlier'}."
        )

    def lines(self) -> list[str]:
        """Name the worst outliers."""
        return [
            f"{character.name or character.character_id}: {picture.picture}: "
            f"{'; '.join(picture.remarks)}."
            for character in self.characters
            for picture in character.outliers[:3]
        ]


def likeness_report(
    subject: str, audits: Sequence[CharacterAudit], missing: Iterable[str], forgotten: int
) -> LikenessReport:
    """Sum up audits; of all outliers the worst of each character are kept.

    Args:
        subject: Whose galleries, in words.
        audits: One a character.
        missing: What cannot be measured here, in sentences.
        forgotten: How many old measures were removed.
    """
    share = max(1, MAX_OUTLIERS // max(1, sum(bool(audit.outliers()) for audit in audits)))
    characters = [_summary(audit, share) for audit in audits]
    sentences = [*missing, *(text for audit in audits for text in audit.not_measured)]
    return LikenessReport(
        subject=subject,
        characters=tuple(sorted(characters, key=lambda each: -_outliers(each))),
        not_measured=tuple(dict.fromkeys(sentences)),
        forgotten=forgotten,
    )


def _outliers(character: CharacterSummary) -> int:
    return character.unlike + character.off_age + character.without_face + character.unreadable


def _summary(audit: CharacterAudit, share: int) -> CharacterSummary:
    distances = [each.distance for each in audit.pictures if each.distance is not None]
    return CharacterSummary(
        character_id=audit.character_id,
        name=audit.name,
        pictures=len(audit.pictures),
        measured=audit.measured,
        unlike=sum(each.is_unlike for each in audit.pictures),
        off_age=sum(each.is_off_age for each in audit.pictures),
        without_face=sum(each.faces == 0 for each in audit.pictures),
        unreadable=sum(bool(each.problem) for each in audit.pictures),
        typical=round(median(distances), 3) if distances else None,
        outliers=audit.outliers()[:share],
    )
