"""All hosts at one moment."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

from storycanvas.catalog.health.checks import HostCheck, HostKey
from storycanvas.net.wording import counted, verb


class PreviousCheck(NamedTuple):
    """What an earlier check found of a host.

    Attributes:
        state: In one word.
        check_id: Identifies the check.
    """

    state: str
    check_id: str


REPLACES = "absent"
"""What a host was that is up now and was not checked before, while no other of its kind was up."""


class HostChange(BaseModel):
    """A host that went away or came back.

    Attributes:
        before: Its state at the last check; `REPLACES` if it takes the place of others.
        check_id: Identifies that check. Same check, host and direction are the same change,
            whichever run finds it.
        check: What this check found.
    """

    model_config = ConfigDict(frozen=True)

    before: str
    check_id: str
    check: HostCheck

    @property
    def sentence(self) -> str:
        """What happened, as a sentence."""
        check = self.check
        if self.before == REPLACES:
            return f"{check.name} ({check.kind}) is up, in the place of what was away."
        happened = "is up again" if check.is_up else f"is {check.state}"
        return f"{check.name} ({check.kind}) {happened}; it was {self.before}."


def changes(
    before: Mapping[HostKey, PreviousCheck], checks: Iterable[HostCheck]
) -> tuple[HostChange, ...]:
    """Find the hosts that were up in the last check and are not now, or the reverse.

    A host without an earlier check is not a change, nor is another word for the same trouble.
    """
    return tuple(
        HostChange(before=previous.state, check_id=previous.check_id, check=check)
        for check in checks
        if (previous := before.get(check.key)) and (previous.state == "up") != check.is_up
    )


def replacements(
    shown: Mapping[HostKey, PreviousCheck], checks: Iterable[HostCheck]
) -> dict[HostKey, PreviousCheck]:
    """Find hosts that are new since the last check and up, where none of their kind was up.

    A host that has moved to another address is such a one, since a host's name has its address.

    Args:
        shown: Of the last check alone: a host of an earlier one may be gone for good.
        checks: Of now.

    Returns:
        What to take for their earlier check, so that they count as come back.
    """
    found = {}
    for check in checks:
        alike = [before for (kind, *_), before in shown.items() if kind == check.kind]
        away = bool(alike) and all(before.state != "up" for before in alike)
        if check.is_up and check.key not in shown and away:
            found[check.key] = PreviousCheck(REPLACES, alike[0].check_id)
    return found


def is_last(change: HostChange, checks: Iterable[HostCheck], changed: Iterable[HostChange]) -> bool:
    """Check whether no other host of its kind is up after one went, or was before it came back.

    Hosts that went or came back at once count alike, so that an event of a host that left none
    behind is followed by one of a host that found none.
    """
    # One that comes back finds those that were up before; one that goes leaves those that are now.
    came_back = {other.check.key for other in changed if other.check.is_up}
    left_out = {change.check.key, *(came_back if change.check.is_up else ())}
    return not any(
        other.is_up and other.kind == change.check.kind and other.key not in left_out
        for other in checks
    )


class QueueState(BaseModel):
    """How full a queue of the database is.

    Attributes:
        name: Its collection.
        waiting: How many wait, also for their time.
        processing: How many are worked on.
        oldest: Since when the oldest waits, UTC; None if nothing waits, or it does not say.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    waiting: int
    processing: int
    oldest: datetime | None = None

    def sentence(self, now: datetime) -> str:
        """Describe it, with how long the oldest has waited by then."""
        text = f"{self.name}: {self.waiting} waiting, {self.processing} processing"
        if self.oldest is None:
            return f"{text}."
        return f"{text}, the oldest has waited {_duration(now - self.oldest)}."


class HealthReport(BaseModel):
    """All hosts at one moment.

    Attributes:
        checked_at: UTC.
        checks: Every host.
        changes: The hosts that went away or came back since the last check.
        history_kept: Whether the database took the checks.
        remarks: Sentences about what is wrong beside the hosts.
        queues: The queues of the database; none where it does not answer.
    """

    model_config = ConfigDict(frozen=True)

    checked_at: datetime
    checks: tuple[HostCheck, ...]
    changes: tuple[HostChange, ...] = ()
    history_kept: bool = True
    remarks: tuple[str, ...] = ()
    queues: tuple[QueueState, ...] = ()

    @property
    def not_up(self) -> list[HostCheck]:
        """The hosts that cannot do their work."""
        return [check for check in self.checks if not check.is_up]

    def summary(self) -> str:
        """Sum up the checks in a sentence or two, and the queues that are not empty."""
        total = len(self.checks)
        hosts = f"{counted(total, 'host')} {verb(total, 'is', 'are')}"
        text = f"{total - len(self.not_up)} of {hosts} up."
        if self.not_up:
            named = ", ".join(f"{check.name} is {check.state}" for check in self.not_up)
            text = f"{text[:-1]}; {named}."
        if not self.history_kept:
            text += " The history was not kept."
        full = [queue for queue in self.queues if queue.waiting or queue.processing]
        return " ".join([text, *self.remarks, *(q.sentence(self.checked_at) for q in full)])

    def lines(self) -> list[str]:
        """Make a line for each host that is not up, and for each change."""
        trouble = [f"{check.name} is {check.state}. {check.note or ''}" for check in self.not_up]
        changed = (change.sentence for change in self.changes)
        return [*(line.rstrip() for line in trouble), *changed, *self.remarks]


def _duration(waited: timedelta) -> str:
    """Write a time in its largest unit; of clocks that differ, none at the least."""
    seconds = max(0, round(waited.total_seconds()))
    for unit, name in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= unit:
            return f"{seconds // unit} {name}"
    return f"{seconds} s"
