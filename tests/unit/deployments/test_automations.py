"""What the automations are made of: without a block for messages, and with one of either kind."""

from uuid import UUID, uuid4

import pytest
from prefect.automations import AutomationCore, Posture
from prefect.events.actions import CallWebhook, DoNothing, SendNotification

from deployments.automations import acting as automation
from deployments.automations.acting import Targets, Waits, automations
from tests.support.paths import ROOT

BLOCK = uuid4()
TARGETS = Targets([uuid4()], uuid4(), uuid4(), uuid4())


def made(notify: tuple[str, UUID] | None) -> dict[str, AutomationCore]:
    return {found.name: found for found in automations(TARGETS, notify, Waits())}


def test_without_a_block_nothing_is_sent_and_all_else_is_done() -> None:
    kinds = {name: [action.type for action in found.actions] for name, found in made(None).items()}

    assert kinds == {
        automation.HEART_STOPS: ["change-flow-run-state"],
        automation.GOES_ON: ["run-deployment"],
        automation.STAYS_AWAY: ["pause-work-queue", "resume-automation"],
        automation.IS_BACK: ["resume-work-queue", "pause-automation"],
        automation.RUN_FAILED: ["do-nothing"],
        automation.DATABASE_DRIFTS: ["do-nothing"],
        automation.AUDIT_CRITICAL: ["do-nothing"],
    }
    assert {name for name, found in made(None).items() if not found.enabled} == {automation.IS_BACK}


@pytest.mark.parametrize(
    ("kind", "action"), [("slack-webhook", SendNotification), ("webhook", CallWebhook)]
)
def test_a_block_gets_each_message_once(kind: str, action: type) -> None:
    sending = {
        name: [found for found in sent.actions if isinstance(found, action)]
        for name, sent in made((kind, BLOCK)).items()
    }

    told = {name: messages for name, messages in sending.items() if messages}
    assert told.keys() == {
        automation.STAYS_AWAY,
        automation.RUN_FAILED,
        automation.DATABASE_DRIFTS,
        automation.AUDIT_CRITICAL,
    }
    assert all(len(messages) == 1 for messages in told.values())
    [away] = told[automation.STAYS_AWAY]
    assert "{{ event.payload.sentence }}" in (away.payload if kind == "webhook" else away.body)
    assert not any(
        isinstance(a, DoNothing) for m in made((kind, BLOCK)).values() for a in m.actions
    )


def test_what_waits_for_a_silence_begins_with_an_event_and_not_with_the_automation() -> None:
    """Prefect 3.9.1 begins at once where `for_each` is empty, and fires without any event."""
    triggers = [found.trigger for found in made(None).values()]
    waiting = [found for found in triggers if found.posture is Posture.Proactive]

    assert len(waiting) == 2
    assert all(found.for_each for found in waiting)


def test_every_automation_is_described_in_the_docs_and_on_its_page() -> None:
    page = (ROOT / "docs/automations.md").read_text()

    for name, found in made(None).items():
        assert f"| {name} |" in page
        assert found.description.endswith(".")
