"""Pictures are drawn for nothing, for one and for far too much, and show what they are for."""

import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import pytest
from PIL import Image

from storycanvas.catalog.reporting.charts import label, models_plot
from storycanvas.catalog.reporting.health_chart import (
    MAX_GAP,
    MAX_HOSTS,
    health_plot,
    hosts_worst_first,
    last_day,
    spans,
)

NOW = datetime(2026, 3, 1, 2, 30, tzinfo=UTC)
RED, GREEN = (200, 50, 74), (143, 207, 176)


def picture(png: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(png))
    assert image.format == "PNG"
    return image.convert("RGB")


def colours(png: bytes) -> dict[tuple[int, ...], int]:
    image = picture(png)
    found = image.getcolors(image.width * image.height) or []
    return {colour: count for count, colour in found if isinstance(colour, tuple)}


def counts(*rows: tuple[str, str, int]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["model_type", "base_model", "models"])


def checks(
    name: str, *up: bool, step: timedelta = timedelta(minutes=5)
) -> Iterator[dict[str, Any]]:
    for place, is_up in enumerate(reversed(up)):
        yield {
            "name": name,
            "checked_at": NOW - place * step,
            "is_up": is_up,
            "latency_ms": 5.0 if is_up else None,
        }


def test_no_models_make_a_small_picture() -> None:
    assert picture(models_plot(counts())).height < 250


@pytest.mark.parametrize(
    "rows",
    [
        [("lora", "SDXL 1.0", 1)],
        [("lora", f"Base {n}", 100 - n) for n in range(40)],
        [(f"type {n}", "unknown", 10**n) for n in range(7)],
        [("lora", "$x^2", 1), ("lora", "模型 \U0001f600\x00", 2), ("vae", "_hidden", 1)],
    ],
    ids=["one", "40 base models", "unequal types", "strange names"],
)
def test_models_of_any_number_make_a_picture_of_one_width(rows: list[tuple[str, str, int]]) -> None:
    assert picture(models_plot(counts(*rows))).width == 1100


def test_small_base_models_share_one_colour() -> None:
    big = [("lora", f"Base {n}", 100) for n in range(9)]

    without, together = (
        colours(models_plot(counts(*big, *small))).get((179, 179, 179), 0)
        for small in ([], [("lora", f"Small {n}", 50) for n in range(2)])
    )

    assert together > without + 1000


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame(),
        pd.DataFrame(columns=["name", "checked_at", "is_up", "latency_ms"]),
        pd.DataFrame([{"name": None, "checked_at": "soon", "is_up": None, "latency_ms": "x"}]),
    ],
    ids=["nothing", "no rows", "nothing that can be read"],
)
def test_without_checks_the_picture_says_so(frame: pd.DataFrame) -> None:
    assert picture(health_plot(frame)).size == (660, 176)


def test_a_host_that_was_down_shows_red() -> None:
    up = colours(health_plot(pd.DataFrame(checks("gpu", True, True, True))))
    down = colours(health_plot(pd.DataFrame(checks("gpu", True, False, True))))

    assert (RED in up, GREEN in up) == (False, True)
    assert (RED in down, GREEN in down) == (True, True)


def test_a_host_that_never_answered_is_drawn_without_latency() -> None:
    assert RED in colours(health_plot(pd.DataFrame(checks("gpu", False, False))))


def test_a_picture_has_a_row_for_each_host_up_to_a_limit() -> None:
    single, double, many = (
        picture(
            health_plot(pd.DataFrame([row for n in range(count) for row in checks(f"h{n}", True)]))
        ).height
        for count in (1, 2, MAX_HOSTS + 5)
    )

    assert single < double
    assert many == pytest.approx(single + (MAX_HOSTS - 1) * (double - single), abs=MAX_HOSTS)


def test_the_last_day_ends_with_the_last_check_and_is_in_order() -> None:
    rows = list(checks("gpu", *[True] * 30, step=timedelta(hours=1)))

    day = last_day(pd.DataFrame(rows))

    assert len(day) == 25
    assert day["checked_at"].is_monotonic_increasing
    assert day["checked_at"].iloc[-1] == NOW


def test_moments_without_a_zone_are_in_utc() -> None:
    rows = [{"name": "a", "checked_at": NOW.replace(tzinfo=None), "is_up": True, "latency_ms": 1}]

    assert last_day(pd.DataFrame(rows))["checked_at"].iloc[0] == NOW


def test_hosts_that_were_down_most_come_first() -> None:
    rows = [*checks("b", True, True), *checks("a", True, True), *checks("c", False, True)]

    assert hosts_worst_first(last_day(pd.DataFrame(rows))) == ["c", "a", "b"]


def test_checks_that_found_the_same_are_one_span() -> None:
    minutes = timedelta(minutes=5)

    found = list(spans(last_day(pd.DataFrame(checks("a", True, True, False, True)))))

    assert found == [
        (NOW - 3 * minutes, NOW - minutes, True),
        (NOW - minutes, NOW, False),
        (NOW, NOW + MAX_GAP / 3, True),
    ]


def test_a_host_counts_as_unchecked_in_a_long_gap() -> None:
    hour = timedelta(hours=1)

    found = list(spans(last_day(pd.DataFrame(checks("a", True, True, step=hour)))))

    assert found == [
        (NOW - hour, NOW - hour + MAX_GAP, True),
        (NOW, NOW + MAX_GAP / 3, True),
    ]


@pytest.mark.parametrize(
    ("text", "drawn"),
    [
        ("SDXL 1.0", "SDXL 1.0"),
        ("a$b$", r"a\$b\$"),
        ("夏\x00", "??"),
        ("a\n b", "a b"),
        ("", ""),
        ("x" * 20 + "y" * 20, "x" * 17 + "…" + "y" * 16),
    ],
    ids=["plain", "formula", "no letter for it", "lines", "empty", "long"],
)
def test_any_name_can_be_drawn(text: str, drawn: str) -> None:
    assert label(text) == drawn
