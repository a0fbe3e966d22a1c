"""Behaviour of Prefect's server that the guard relies on or works around, a test for each.

A test that fails after an upgrade of Prefect names what to check in `storycanvas/gpu/guard`.
"""

import time
from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import (
    GlobalConcurrencyLimitUpdate,
    VariableCreate,
    VariableUpdate,
)
from prefect.client.schemas.responses import GlobalConcurrencyLimitResponse
from prefect.concurrency.sync import concurrency
from prefect.settings import PREFECT_API_URL, temporary_settings

from blocks.limits import create_limit

LEASE_SECONDS = 60.0
TICK_SECONDS = 0.01
"""So that two times of the server differ."""


@pytest.fixture(scope="module", autouse=True)
def client(prefect_url: str) -> Iterator[SyncPrefectClient]:
    with temporary_settings({PREFECT_API_URL: prefect_url}), get_client(sync_client=True) as opened:
        yield opened


@pytest.fixture
def limit() -> str:
    name = f"gpu:{uuid4().hex}"
    create_limit(name, 1)
    return name


def take(client: SyncPrefectClient, limit: str, seconds: float = LEASE_SECONDS) -> UUID:
    response = client.increment_concurrency_slots_with_lease([limit], 1, "concurrency", seconds)
    return UUID(response.json()["lease_id"])


def refusal(client: SyncPrefectClient, limit: str, seconds: float = LEASE_SECONDS) -> int:
    with pytest.raises(httpx.HTTPStatusError) as refused:
        take(client, limit, seconds)
    return refused.value.response.status_code


def state(client: SyncPrefectClient, limit: str) -> GlobalConcurrencyLimitResponse:
    return client.read_global_concurrency_limit_by_name(limit)


def taken(client: SyncPrefectClient, limit: str) -> int:
    return state(client, limit).active_slots


def change(client: SyncPrefectClient, name: str, **fields: Any) -> None:
    client.update_global_concurrency_limit(name, GlobalConcurrencyLimitUpdate(**fields))


def test_a_lease_shorter_than_a_minute_is_refused(client: SyncPrefectClient, limit: str) -> None:
    assert refusal(client, limit, 59.0) == httpx.codes.UNPROCESSABLE_ENTITY
    assert taken(client, limit) == 0


def test_a_limit_whose_slots_are_all_taken_answers_locked(
    client: SyncPrefectClient, limit: str
) -> None:
    take(client, limit)

    assert refusal(client, limit) == httpx.codes.LOCKED


def test_a_limit_of_zero_grants_no_lease(client: SyncPrefectClient, limit: str) -> None:
    change(client, limit, limit=0)

    assert refusal(client, limit) == httpx.codes.UNPROCESSABLE_ENTITY


def test_an_inactive_limit_grants_leases_and_counts_none(
    client: SyncPrefectClient, limit: str
) -> None:
    change(client, limit, active=False)

    assert take(client, limit) != take(client, limit)
    assert taken(client, limit) == 0


def test_a_missing_limit_grants_leases(client: SyncPrefectClient) -> None:
    assert take(client, f"gpu:{uuid4().hex}")


def test_prefects_own_context_manager_lets_work_through_without_a_guarding_limit(
    client: SyncPrefectClient, limit: str
) -> None:
    change(client, limit, active=False)

    with concurrency(limit, strict=True), concurrency(limit, strict=True):
        assert taken(client, limit) == 0


def test_a_refused_request_leaves_no_trace_on_the_limit(
    client: SyncPrefectClient, limit: str
) -> None:
    """So a limit does not show that others wait; the guard's presence notes do."""
    take(client, limit)
    before = state(client, limit)
    time.sleep(TICK_SECONDS)
    refusal(client, limit)

    assert state(client, limit) == before


def test_a_slot_released_while_the_limit_is_off_stays_counted(
    client: SyncPrefectClient, limit: str
) -> None:
    lease = take(client, limit)
    change(client, limit, active=False)
    client.release_concurrency_slots_with_lease(lease)
    change(client, limit, active=True)

    assert taken(client, limit) == 1
    client.release_concurrency_slots_with_lease(lease)
    assert taken(client, limit) == 1


def test_setting_active_slots_to_zero_clears_the_count(
    client: SyncPrefectClient, limit: str
) -> None:
    take(client, limit)
    change(client, limit, active_slots=0)

    assert taken(client, limit) == 0
    assert take(client, limit)


def test_a_lease_that_outlives_a_cleared_count_frees_the_slot_of_another_holder(
    client: SyncPrefectClient, limit: str
) -> None:
    old = take(client, limit)
    change(client, limit, active_slots=0)
    take(client, limit)
    client.release_concurrency_slots_with_lease(old)

    assert taken(client, limit) == 0


def test_a_released_lease_is_not_renewed(client: SyncPrefectClient, limit: str) -> None:
    lease = take(client, limit)
    client.release_concurrency_slots_with_lease(lease)

    with pytest.raises(httpx.HTTPStatusError) as refused:
        client.renew_concurrency_lease(lease, LEASE_SECONDS)
    assert refused.value.response.status_code == httpx.codes.GONE


def test_a_lease_released_twice_frees_one_slot(client: SyncPrefectClient, limit: str) -> None:
    change(client, limit, limit=2)
    lease = take(client, limit)
    take(client, limit)
    for _ in range(2):
        client.release_concurrency_slots_with_lease(lease)

    assert taken(client, limit) == 1


def test_a_slot_can_be_counted_without_a_lease(client: SyncPrefectClient, limit: str) -> None:
    """The state that a server leaves that dies between counting a slot and writing its lease."""
    client.increment_concurrency_slots([limit], 1, "concurrency")

    assert taken(client, limit) == 1
    assert refusal(client, limit) == httpx.codes.LOCKED


def test_updated_of_a_variable_moves_when_the_same_value_is_written(
    client: SyncPrefectClient,
) -> None:
    name, value = f"gpu_note_{uuid4().hex}", {"a": 1}
    first = client.create_variable(VariableCreate(name=name, value=value))
    time.sleep(TICK_SECONDS)
    client.update_variable(VariableUpdate(name=name, value=value))
    second = client.read_variable_by_name(name)

    assert second is not None
    assert first.updated is not None
    assert second.updated is not None
    assert second.updated > first.updated


def test_every_answer_carries_the_servers_clock(client: SyncPrefectClient) -> None:
    assert "Date" in client.request("GET", "/health").headers
