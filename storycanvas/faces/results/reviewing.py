"""What a person decides about the pictures of a run, and what follows from it."""

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from storycanvas.faces.plan import Plan
from storycanvas.net.wording import counted

ALL = "all"
"""What stands in the form for every picture."""


@dataclass(frozen=True)
class ReviewAnswer:
    """What a person decided.

    Attributes:
        rejected: Names of the pictures that no gallery gets.
        note: Why, in the person's words; empty for nothing.
    """

    rejected: frozenset[str]
    note: str = ""

    @property
    def reason(self) -> str:
        """What the report says of a picture that was rejected."""
        return self.note or "Rejected in the review."


def read_answer(
    shown: Collection[str], keep: Collection[str], reject: Collection[str], note: str
) -> ReviewAnswer:
    """Read the fields of the form; what stands in both lists is rejected.

    Args:
        shown: Names of the pictures that the form was about.
        keep: Those to be kept, or `all`; empty for all that are not rejected.
        reject: Those to be rejected, or `all`.
        note: The person's words.
    """
    rejected = set(shown) if ALL in reject else {*reject}
    if keep and ALL not in keep:
        rejected |= {*shown} - {*keep}
    return ReviewAnswer(frozenset(rejected & {*shown}), " ".join(note.split()))


def review_key(shown: Mapping[str, str], asked: int = 0) -> str:
    """Make the key of a review: an answer counts for the very pictures that were shown.

    Args:
        shown: Pixel hash of each picture by its name.
        asked: How often the same was asked before, and not answered.
    """
    lines = "\n".join(f"{name}\t{sha256}" for name, sha256 in sorted(shown.items()))
    again = f"-{asked + 1}" if asked else ""
    return f"review-{hashlib.sha256(lines.encode()).hexdigest()[:12]}{again}"


def entered_steps(plan: Plan, made: Collection[str], rejected: Collection[str]) -> list[str]:
    """List the steps whose results a character gets, in the plan's order.

    What lies on the way to a picture goes with it: it is left out where all pictures that were made
    of it are rejected.

    Args:
        plan: The plan.
        made: Names of the steps that have a result.
        rejected: Names of the steps whose results were rejected.
    """
    followers: dict[str, set[str]] = {step.name: set() for step in plan.steps}
    for step in reversed(plan.steps):
        own = {step.name} if step.gallery is not None and step.name in made else set()
        for name in step.inputs:
            if name in followers:
                followers[name] |= followers[step.name] | own
    return [
        step.name
        for step in plan.steps
        if step.name in made
        and step.name not in rejected
        and (step.gallery is not None or not _all_in(followers[step.name], rejected))
    ]


def _all_in(names: Collection[str], others: Collection[str]) -> bool:
    return bool(names) and {*names} <= {*others}


def form_text(count: int, sheet: str | None, until: datetime) -> str:
    """Write what stands above the form.

    Args:
        count: Number of pictures.
        sheet: Address of the contact sheet's page; None where there is none.
        until: When the time to answer ends, UTC.
    """
    where = f"[Contact sheet]({sheet}). " if sheet else ""
    are = "wait" if count > 1 else "waits"
    return (
        f"{where}{counted(count, 'picture')} {are} for your decision; nothing has gone to a "
        "gallery yet. What you keep goes there, what you reject stays in the image store alone. "
        f"Not answered by {until:%Y-%m-%d %H:%M} UTC, the run ends Failed and nothing goes to the "
        "gallery; Retry asks again without making a picture twice."
    )


def named_apart(runs: Iterable[tuple[str, Collection[str]]]) -> dict[str, tuple[int, str]]:
    """Name the steps of several runs so that no two have one name.

    Args:
        runs: What each run is called, empty for the only one, with the names of its steps.

    Returns:
        Number of the run and name of the step, by the name in the form.
    """
    return {
        f"{label} · {name}" if label else name: (number, name)
        for number, (label, names) in enumerate(runs)
        for name in names
    }
