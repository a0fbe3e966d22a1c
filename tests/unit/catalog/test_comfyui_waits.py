"""How long a server asks to be left alone."""

from datetime import UTC, datetime

import pytest

from storycanvas.catalog.answer_status import retry_after_seconds

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

WAITS: dict[str, tuple[str | None, float | None]] = {
    "seconds": ("2", 2),
    "with spaces": (" 30 ", 30),
    "too many seconds": ("99999999999999999999", 3600),
    "a date": ("Fri, 02 Jan 2026 03:05:05 GMT", 60),
    "a date without a zone": ("Fri, 02 Jan 2026 03:05:05 -0000", 60),
    "a date that has passed": ("Thu, 01 Jan 2026 03:05:05 GMT", 0),
    "a date far away": ("Fri, 02 Jan 2099 03:05:05 GMT", 3600),
    "a fraction": ("1.5", None),
    "less than nothing": ("-1", None),
    "other digits": ("²", None),
    "words": ("soon", None),
    "an impossible date": ("Fri, 99 Jan 2026 03:05:05 GMT", None),
    "a zone of too many digits": ("Fri, 02 Jan 2026 03:05:05 +99999999999999999999", None),
    "an hour of too many digits": ("Fri, 02 Jan 2026 99999999999999999999:05:05 GMT", None),
    "nothing": ("", None),
    "none": (None, None),
}


@pytest.mark.parametrize("case", WAITS.values(), ids=WAITS)
def test_a_wait_is_read_and_bounded(case: tuple[str | None, float | None]) -> None:
    value, seconds = case
    assert retry_after_seconds(value, NOW) == seconds
