"""Which hosts went away or came back since the last look."""

from collections.abc import Iterable, Mapping

from pydantic import BaseModel, ConfigDict

from catalog.health.check import HostCheck, HostKey


class HostChange(BaseModel):
    """A host that went away or came back.

    Attributes:
        before: Its state at the last look.
        check: What this look found.
    """

    model_config = ConfigDict(frozen=True)

    before: str
    check: HostCheck

    @property
    def sentence(self) -> str:
        """What happened, for people."""
        check = self.check
        happened = "is up again" if check.is_up else f"is {check.state}"
        return f"{check.name} ({check.kind}) {happened}; it was {self.before}."


def changes(before: Mapping[HostKey, str], checks: Iterable[HostCheck]) -> tuple[HostChange, ...]:
    """Compare two looks.

    Args:
        before: State of each host at the last look.
        checks: What this look found.

    Returns:
        The hosts that were up and are not, and those that were not and are. One that was not
        looked at before is none of them, nor is one whose trouble has got another name.
    """
    return tuple(
        HostChange(before=before[check.key], check=check)
        for check in checks
        if check.key in before and (before[check.key] == "up") != check.is_up
    )
