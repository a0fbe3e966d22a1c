"""Words of messages: those that depend on a number, and values that may be large.

A count that may be one needs the singular: `1 page`, `2 pages`. Messages that end in a count of a
fixed kind say `document(s)` in older reports, which people and programs know; new ones use this.

Nothing here knows what is counted, so every room above may use it:

    counted(1, "page")                          # "1 page"
    counted(3, "entry", "entries")              # "3 entries"
    f"{counted(n, 'host')} {verb(n, 'is', 'are')} up"
"""

import re
from collections.abc import Mapping

_MAX_SHOWN = 60
_MAX_BITS = 64


def counted(count: int, noun: str, plural: str = "") -> str:
    """Write a number and what it counts, in the singular for exactly one.

    Args:
        count: How many there are; 0 takes the plural.
        noun: The singular.
        plural: The plural, where it is not the singular with an `s`.
    """
    return f"{count} {noun if count == 1 else plural or f'{noun}s'}"


def verb(count: int, singular: str, plural: str) -> str:
    """Choose the form of a verb that goes with a count.

    Args:
        count: How many the subject of the sentence are.
        singular: Such as `is`.
        plural: Such as `are`.
    """
    return singular if count == 1 else plural


def plain_markdown(text: str) -> str:
    """Write a text of unknown content on one line of Markdown, where it is read as it stands."""
    return re.sub(r"([\\`*_\[\]()<>#|!&~])", r"\\\1", " ".join(text.split()))


def shown(value: object) -> str:
    """Write a value as a sentence shows it: in a few words, however large it is."""
    if isinstance(value, int) and value.bit_length() > _MAX_BITS:
        return f"a number of more than {_MAX_BITS} bits"  # Python refuses to write a very large one
    if isinstance(value, Mapping | list | tuple):
        return "a mapping" if isinstance(value, Mapping) else "a list"
    text = repr(value)
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}…"


_DIGIT, _MINUTES, _HOURS = 10, 90, 90 * 60


def about(seconds: float) -> str:
    """Write an expected time: `about 40 s`, `about 3 min`, `about 1.5 h`."""
    if seconds < 1:
        return "under a second"
    if seconds < _DIGIT:
        return f"about {round(seconds)} s"
    if seconds < _MINUTES:
        return f"about {5 * round(seconds / 5)} s"
    if seconds < _HOURS:
        return f"about {round(seconds / 60)} min"
    return f"about {seconds / 3600:.1f} h"
