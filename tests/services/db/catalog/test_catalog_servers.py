"""Which servers there are, and what is noted about how each one was found."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from db.catalog.servers import (
    Server,
    ServerStatus,
    active_servers,
    find_servers,
    note_switched_off,
    record_server,
    servers_for_urls,
    servers_of,
)
from db.errors import UnusableAddress
from tests.support.catalog.catalog_rows import MONDAY, TUESDAY, Data, stored

SECRET = "hunter2"  # noqa: S105 - stands in for a real one
URL = "http://127.0.0.1:8188"
ROW = {"id": "box", "name": "Box", "url": f"{URL}/", "is_active": True, "api_key": SECRET}
CAPABILITIES = {
    "system": {"comfyui_version": "0.3.60"},
    "devices": [{"vram_total": 25_294_995_456}],
}

MARKS = [{"is_active": False}, {"deleted_at": MONDAY}]
each_mark = pytest.mark.parametrize("fields", MARKS, ids=["inactive", "deleted"])


@pytest.fixture
def data(data: Data) -> Data:
    data["comfyui_servers"].insert_one(dict(ROW))
    return data


def add(data: Data, **fields: Any) -> None:
    row = {"name": "Another", "is_active": True, **fields}
    data["comfyui_servers"].insert_one(row, bypass_document_validation=True)


def box(data: Data) -> Server:
    [server] = active_servers(data)
    return server


def test_an_active_server_is_read_with_its_address_in_one_spelling(data: Data) -> None:
    add(data, id="pod", url="https://api.runpod.ai/v2/abc", server_type="runpod", endpoint_id="abc")

    assert active_servers(data) == [
        Server("box", "Box", URL, "standard", SECRET, None),
        Server("pod", "Another", "https://api.runpod.ai/v2/abc", "runpod", None, "abc"),
    ]


@each_mark
def test_a_server_that_is_not_to_be_used_is_left_out(data: Data, fields: dict[str, Any]) -> None:
    add(data, id="other", url="http://127.0.0.1:1", **fields)

    assert [server.id for server in active_servers(data)] == ["box"]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"url": None}, "no id and url"),
        ({"url": ["http://x"]}, "no id and url"),
        ({"url": "ftp://x"}, "not of the form"),
        ({"url": "http://[x"}, "not of the form"),
        ({"url": "http://x:port"}, "not of the form"),
        ({"url": "HTTP://127.0.0.1:8188"}, "the address of 'Box'"),
    ],
)
def test_a_row_that_is_no_server_is_refused_alone(
    data: Data, fields: dict[str, Any], reason: str
) -> None:
    add(data, **{"id": "odd", **fields})

    found = find_servers(data)

    assert [server.id for server in found.servers] == ["box"]
    [(subject, said)] = found.unreadable
    assert subject == "odd"
    assert reason in said


def test_endpoints_may_share_an_address() -> None:
    pods = [{"id": id_, "url": "https://api.runpod.ai", "endpoint_id": id_} for id_ in "ab"]

    assert [server.id for server in servers_of(pods).servers] == ["a", "b"]


@pytest.mark.parametrize("url", [URL, f"{URL}//", " HTTP://127.0.0.1:8188/#x "])
def test_an_address_in_any_spelling_names_its_server(data: Data, url: str) -> None:
    assert servers_for_urls(data, [url, URL]) == [box(data)]


@pytest.mark.parametrize("spelling", ["http://127.0.0.1:80", "http://127.0.0.1/"])
def test_the_usual_port_may_be_left_out(data: Data, spelling: str) -> None:
    add(data, id="front", url="http://127.0.0.1")

    assert [server.id for server in servers_for_urls(data, [spelling])] == ["front"]


def test_an_address_names_its_server_though_that_is_switched_off(data: Data) -> None:
    add(data, id="off", url="http://127.0.0.1:1", is_active=False, api_key=SECRET)
    add(data, id="gone", url="http://127.0.0.1:2", deleted_at=MONDAY)

    off, gone = servers_for_urls(data, ["http://127.0.0.1:1", "http://127.0.0.1:2"])

    assert (off.id, off.api_key) == ("off", SECRET)
    assert gone.id not in {"gone", "off"}


def test_an_active_row_goes_before_one_that_is_switched_off(data: Data) -> None:
    add(data, id="a", url=f"{URL}/#2", is_active=False)

    assert [server.id for server in servers_for_urls(data, [URL])] == ["box"]


def test_an_address_names_all_its_endpoints(data: Data) -> None:
    pods = "https://api.runpod.ai"
    for id_ in "ab":
        add(data, id=id_, url=f"{pods}/#{id_}", endpoint_id=id_)

    assert [server.id for server in servers_for_urls(data, [pods])] == ["a", "b"]


def test_of_two_rows_with_one_id_the_first_is_read_and_the_other_is_refused() -> None:
    rows = [{"id": "box", "url": f"http://127.0.0.1:{port}"} for port in (1, 2)]

    found = servers_of(rows)

    assert [server.url for server in found.servers] == ["http://127.0.0.1:1"]
    [(subject, said)] = found.unreadable
    assert subject == "box"
    assert "id of another row" in said


def test_an_address_without_a_row_gets_the_same_id_each_time(data: Data) -> None:
    once = servers_for_urls(data, ["http://me:hunter2@127.0.0.1:1/"])
    again = servers_for_urls(data, ["http://127.0.0.1:1"])

    assert [server.id for server in once] == [server.id for server in again]
    assert once[0].name == "127.0.0.1:1"
    assert once[0].url == "http://me:hunter2@127.0.0.1:1"


def test_an_address_that_is_none_is_refused_without_showing_it(data: Data) -> None:
    with pytest.raises(UnusableAddress) as refused:
        servers_for_urls(data, [f"me:{SECRET}@host"])

    assert SECRET not in str(refused.value)


def test_no_secret_is_shown(data: Data) -> None:
    server = Server("1", "Box", f"http://me:{SECRET}@host:1/x?key={SECRET}", api_key=SECRET)

    assert SECRET not in f"{server!r} {server.address} {server.backend}"
    assert server.address == "http://host:1/x"
    record_server(data, server, "online", None, None, 0, MONDAY)
    assert SECRET not in str(stored(data, "backends"))


def test_a_server_that_answers_is_online_with_its_capabilities(data: Data) -> None:
    record_server(data, box(data), "online", CAPABILITIES, None, 12, MONDAY)

    row = stored(data, "comfyui_servers")["box"]
    noted = {
        "status": "online",
        "last_check": MONDAY,
        "last_error": None,
        "capabilities": CAPABILITIES,
    }
    assert row == ROW | noted | {"_id": row["_id"]}
    backend = {"_id": "box", "id": "box", "name": "Box", "url": URL, "is_online": True}
    found = stored(data, "backends")["box"]
    assert found == backend | {"last_check": MONDAY, "model_count": 12}


@pytest.mark.parametrize("status", ["offline", "error"])
def test_a_server_that_does_not_is_marked_and_loses_nothing(
    data: Data, status: ServerStatus
) -> None:
    record_server(data, box(data), "online", CAPABILITIES, None, 12, MONDAY)
    row, backend = stored(data, "comfyui_servers")["box"], stored(data, "backends")["box"]

    record_server(data, box(data), status, None, "It does not answer.", None, TUESDAY)

    assert stored(data, "comfyui_servers")["box"] == row | {
        "status": status,
        "last_check": TUESDAY,
        "last_error": "It does not answer.",
    }
    assert stored(data, "backends")["box"] == backend | {"is_online": False, "last_check": TUESDAY}


def test_a_server_that_never_answered_has_no_models(data: Data) -> None:
    record_server(data, box(data), "offline", None, "It does not answer.", None, MONDAY)

    assert stored(data, "backends")["box"]["model_count"] == 0


def test_a_server_without_a_row_gets_none_but_a_backend(data: Data) -> None:
    [server] = servers_for_urls(data, ["http://127.0.0.1:1"])

    record_server(data, server, "online", CAPABILITIES, None, 3, MONDAY)

    assert [*stored(data, "comfyui_servers")] == ["box"]
    assert stored(data, "backends")[server.id]["model_count"] == 3


def test_a_server_that_was_deleted_meanwhile_stays_as_it_was(data: Data) -> None:
    server = box(data)
    data["comfyui_servers"].update_one({"id": "box"}, {"$set": {"deleted_at": MONDAY}})
    before = stored(data, "comfyui_servers")

    record_server(data, server, "online", CAPABILITIES, None, 3, TUESDAY)

    assert stored(data, "comfyui_servers") == before


def test_several_at_once_make_one_backend(data: Data) -> None:
    server = box(data)

    with ThreadPoolExecutor(8) as pool:
        for done in [
            pool.submit(record_server, data, server, "online", None, None, 1, MONDAY)
            for _ in range(40)
        ]:
            done.result()

    assert data["backends"].count_documents({}) == 1


@each_mark
def test_a_server_that_was_switched_off_is_no_longer_online(
    data: Data, fields: dict[str, Any]
) -> None:
    add(data, id="other", url="http://127.0.0.1:1")
    for server in active_servers(data):
        record_server(data, server, "online", None, None, 3, MONDAY)
    data["comfyui_servers"].update_one({"id": "other"}, {"$set": fields})

    note_switched_off(data, TUESDAY)

    found = {row["id"]: (row["is_online"], row["last_check"]) for row in data["backends"].find()}
    assert found == {"box": (True, MONDAY), "other": (False, TUESDAY)}
