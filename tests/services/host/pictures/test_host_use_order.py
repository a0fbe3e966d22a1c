from collections.abc import Callable

import pytest

from storycanvas.host.storage.use_order import UseOrder

NOW = 1000.0


def order(max_bytes: int = 30) -> UseOrder:
    """Three pictures of 10 bytes, used in the order of their names."""
    made = UseOrder(max_bytes)
    for used_at, name in enumerate("abc"):
        made.used(name, 10, used_at)
    return made


@pytest.mark.parametrize(
    ("incoming", "removed"),
    [(0, ""), (1, "a"), (10, "a"), (11, "ab"), (30, "abc"), (99, "abc")],
    ids=str,
)
def test_the_least_recently_used_go_until_the_new_one_fits(incoming: int, removed: str) -> None:
    assert order().surplus(incoming, NOW) == list(removed)


@pytest.mark.parametrize(
    ("change", "removed"),
    [
        (lambda order: order.used("a", 10, 9), "b"),
        (lambda order: order.used("a", 10, -9), "b"),
        (lambda order: order.hold("a"), "b"),
        (lambda order: (order.hold("a"), order.release("a")), "a"),
        (lambda order: (order.hold("a"), order.hold("a"), order.release("a")), "b"),
        (lambda order: order.expect("a", NOW + 1), "b"),
        (lambda order: order.expect("a", NOW), "a"),
        (lambda order: (order.expect("a", NOW + 1), order.expect("a", 0)), "a"),
        (lambda order: order.expect("unknown", NOW + 1), "a"),
        (lambda order: order.used("a", 20, 9), "bc"),
        (lambda order: order.forget("b"), ""),
        (lambda order: (order.forget("b"), order.forget("b"), order.used("d", 10, 3)), "a"),
    ],
    ids=[
        "used again", "clock went back", "held", "released", "held twice", "expected",
        "expected no longer", "fetched", "unknown", "grown", "gone", "replaced",
    ],
)  # fmt: skip
def test_what_is_in_use_stays(change: Callable[[UseOrder], object], removed: str) -> None:
    made = order()
    change(made)
    assert made.surplus(10, NOW) == list(removed)


def test_a_hold_outlives_the_forgetting_of_a_picture() -> None:
    made = order()
    made.hold("a")
    made.forget("a")
    made.used("a", 10, 9)
    assert made.surplus(30, NOW) == ["b", "c"]


def test_only_what_is_long_unused_and_free_is_old() -> None:
    made = order()
    made.hold("a")
    assert made.unused_since(2, NOW) == ["b"]
