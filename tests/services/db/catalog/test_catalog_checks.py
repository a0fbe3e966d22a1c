"""The history of hosts keeps every look at them, and forgets it after seven days."""

from typing import Any

import pytest

from db.catalog.host_checks import checks_since, last_states, record_checks
from db.schema.documents.models import HostCheckRecord
from tests.support.catalog.catalog_rows import MONDAY, TUESDAY, Data

CHECK = {
    "name": "gpu-1",
    "kind": "face host",
    "address": "http://127.0.0.1:9002",
    "is_up": True,
    "state": "up",
    "latency_ms": 3.5,
    "version": "preview 1",
    "queue": {"running": 0, "waiting": 1},
}
DOWN = CHECK | {"is_up": False, "state": "down", "latency_ms": None}


def test_a_check_is_kept_as_it_was_found(data: Data) -> None:
    assert record_checks(data, [CHECK], MONDAY) == {}

    [found] = checks_since(data, MONDAY)
    HostCheckRecord.model_validate(found)
    assert found == CHECK | {"checked_at": MONDAY}


def test_recording_the_same_moment_again_adds_nothing(data: Data) -> None:
    record_checks(data, [CHECK], MONDAY)

    assert record_checks(data, [CHECK, CHECK | {"name": "gpu-2"}], MONDAY) == {}
    assert [check["name"] for check in checks_since(data, MONDAY)] == ["gpu-1", "gpu-2"]


def test_the_history_begins_at_the_moment_asked_for(data: Data) -> None:
    record_checks(data, [DOWN], TUESDAY)
    record_checks(data, [CHECK], MONDAY)

    assert [check["is_up"] for check in checks_since(data, MONDAY)] == [True, False]
    assert [check["is_up"] for check in checks_since(data, TUESDAY)] == [False]


def test_the_last_state_is_that_of_each_host(data: Data) -> None:
    comfyui = CHECK | {"kind": "comfyui"}
    record_checks(data, [CHECK, comfyui], MONDAY)
    record_checks(data, [DOWN], TUESDAY)

    assert last_states(data) == {
        "comfyui/gpu-1": comfyui | {"checked_at": MONDAY},
        "face host/gpu-1": DOWN | {"checked_at": TUESDAY},
    }


def test_without_a_history_nothing_is_known(data: Data) -> None:
    assert last_states(data) == {}
    assert checks_since(data, MONDAY) == []


@pytest.mark.parametrize(
    "bad", [{"latency_ms": -1}, {"queue": {"running": 2**64}}], ids=["validator", "number"]
)
def test_a_check_that_cannot_be_stored_is_refused_alone(data: Data, bad: dict[str, Any]) -> None:
    refused = record_checks(data, [CHECK | bad, CHECK | {"name": "gpu-2"}], MONDAY)

    assert [*refused] == [0]
    assert [*last_states(data)] == ["face host/gpu-2"]


def test_the_server_forgets_checks_after_seven_days(data: Data) -> None:
    indexes = data["host_checks"].index_information()

    assert indexes["checked_at_1"]["expireAfterSeconds"] == 7 * 24 * 3600
