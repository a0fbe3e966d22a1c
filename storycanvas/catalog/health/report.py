"""All hosts at one moment."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

from storycanvas.catalog.health.checks import HostCheck, HostKey


class PreviousCheck(NamedTuple):
    """What an earlier check found of a host.

    Attributes:
        state: In one word.
        check_id: Names the check.
    """

    state: str
    check_id: str


class HostChange(BaseModel):
    """A host that went away or came back.

    Attributes:
        before: Its state at the last check.
        check_id: Names that check. Same check, host and direction are the same change, whichever
            run finds it.
        check: What this check found.
    """

    model_config = ConfigDict(frozen=True)

    before: str
    check_id: str
    check: HostCheck

    @property
    def sentence(self) -> str:
        """What happened, for people."""
        check = self.check
        happened = "is up again" if check.is_up else f"is {check.state}"
        return f"{check.name} ({check.kind}) {happened}; it was {self.before}."


def changes(
    before: Mapping[HostKey, PreviousCheck], checks: Iterable[HostCheck]
) -> tuple[HostChange, ...]:
    """Compare two checks.

    Args:
        before: What the last check found of each host.
        checks: What this check found.

    Returns:
        The hosts that were up and are not, and those that were not and are. One that was not
        checked before is none of them, nor is one whose trouble has got another name.
    """
    return tuple(
        HostChange(before=previous.state, check_id=previous.check_id, check=check)
        for check in checks
        if (previous := before.get(check.key)) and (previous.state == "up") != check.is_up
    )


class HealthReport(BaseModel):
    """All hosts at one moment.

    Attributes:
        checked_at: UTC.
        checks: Every host.
        changes: The hosts that went away or came back since the last check.
        history_kept: Whether the database took the checks.
    """

    model_config = ConfigDict(frozen=True)

    checked_at: datetime
    checks: tuple[HostCheck, ...]
    changes: tuple[HostChange, ...] = ()
    history_kept: bool = True

    @property
    def not_up(self) -> list[HostCheck]:
        """The hosts that cannot do their work."""
        return [check for check in self.checks if not check.is_up]

    def summary(self) -> str:
        """Say in a sentence or two how things are."""
        total = len(self.checks)
        said = f"{total - len(self.not_up)} of {total} hosts are up."
        if self.not_up:
            named = ", ".join(f"{check.name} is {check.state}" for check in self.not_up)
            said = f"{said[:-1]}; {named}."
        if not self.history_kept:
            said += " The history was not kept."
        return said

    def lines(self) -> list[str]:
        """Say of each host that is not up, and of each change, what is to be known."""
        trouble = [f"{check.name} is {check.state}. {check.note or ''}" for check in self.not_up]
        return [*(line.rstrip() for line in trouble), *(change.sentence for change in self.changes)]
