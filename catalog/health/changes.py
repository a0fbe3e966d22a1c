"""Which hosts went away or came back since the last look."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

from catalog.health.check import HostCheck, HostKey


class Seen(NamedTuple):
    """What an earlier look found of a host.

    Attributes:
        state: In one word.
        look: Names the look.
    """

    state: str
    look: str


class HostChange(BaseModel):
    """A host that went away or came back.

    Attributes:
        before: Its state at the last look.
        look: Names that look. The same look, host and direction are the same change, whichever
            run finds it.
        check: What this look found.
    """

    model_config = ConfigDict(frozen=True)

    before: str
    look: str
    check: HostCheck

    @property
    def sentence(self) -> str:
        """What happened, for people."""
        check = self.check
        happened = "is up again" if check.is_up else f"is {check.state}"
        return f"{check.name} ({check.kind}) {happened}; it was {self.before}."


def changes(before: Mapping[HostKey, Seen], checks: Iterable[HostCheck]) -> tuple[HostChange, ...]:
    """Compare two looks.

    Args:
        before: What the last look found of each host.
        checks: What this look found.

    Returns:
        The hosts that were up and are not, and those that were not and are. One that was not
        looked at before is none of them, nor is one whose trouble has got another name.
    """
    return tuple(
        HostChange(before=seen.state, look=seen.look, check=check)
        for check in checks
        if (seen := before.get(check.key)) and (seen.state == "up") != check.is_up
    )
