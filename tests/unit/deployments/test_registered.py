"""How the default blocks follow an address that has moved."""

import pytest

from storycanvas.services.record import Registered

MONGO, HOST = "MONGO_URL", "FACEFUSION_URL"
USUAL = "mongodb://127.0.0.1:27017/?replicaSet=rs0"
MOVED = "mongodb://127.0.0.1:40001/?replicaSet=rs0"
BEFORE = Registered.of(
    {MONGO: USUAL, HOST: "http://127.0.0.1:9002", "DB_NAME": "storyboard"},
    {MONGO: "127.0.0.1:27017", HOST: "127.0.0.1:9002"},
)


@pytest.mark.parametrize(
    ("variable", "stored", "now", "expected"),
    [
        (MONGO, USUAL, MOVED, MOVED),
        (MONGO, f"{USUAL}&appName=mine", MOVED, f"{MOVED}&appName=mine"),
        (MONGO, "mongodb://127.0.0.1:27017/", "mongodb://u:p@nas/", "mongodb://u:p@nas/"),
        (MONGO, "mongodb://u:p@nas:27017/", MOVED, None),
        (MONGO, "mongodb://127.0.0.1:27018/", MOVED, None),
        (HOST, "http://127.0.0.1:9002", "http://127.0.0.1:41000", "http://127.0.0.1:41000"),
        (HOST, "http://gpu-box:9002", "http://127.0.0.1:41000", None),
        ("DB_NAME", "storyboard", "other", "other"),
        ("DB_NAME", "mine", "other", None),
    ],
    ids=[
        "as registered",
        "with an option of the operator's",
        "ours, and now a server of the user's",
        "a server of the operator's",
        "another port of this machine",
        "a host that moved",
        "a host of the operator's",
        "a name as registered",
        "a name of the operator's",
    ],
)
def test_a_field_follows_what_it_held_and_keeps_what_the_operator_wrote(
    variable: str, stored: str, now: str, expected: str | None
) -> None:
    assert BEFORE.follow(variable, stored, now) == expected


def test_the_note_of_an_earlier_version_names_no_addresses() -> None:
    before = Registered(digests=BEFORE.digests)

    assert before.moved({MONGO: MOVED, "NEW": "x"}) == [MONGO]
    assert before.follow(MONGO, USUAL, MOVED) == MOVED
    assert before.follow(MONGO, f"{USUAL}&appName=mine", MOVED) is None
