"""All hosts at one moment."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict

from catalog.health.changes import HostChange
from catalog.health.check import HostCheck


class HealthReport(BaseModel):
    """All hosts at one moment.

    Attributes:
        checked_at: UTC.
        checks: Every host.
        changes: The hosts that went away or came back since the last look.
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
        return [*(line.rstrip() for line in trouble), *(one.sentence for one in self.changes)]
