"""Reading texts in ISO 8601 on the server, in the forms that programs write.

Python writes `2026-01-02 03:04:05.678901+00:00`, PostgreSQL `2026-01-02 03:04:05.678+00`, browsers
`2026-01-02T03:04:05.678Z`; others use lower-case letters, a decimal comma, or the basic format
`20260102T030405Z`. A text without an offset is UTC, and MongoDB keeps milliseconds.
"""

from datetime import UTC, datetime

from db.migrations.engine.expressions import Expression, called, is_a, when

_FIRST, _LAST = datetime(1, 1, 1, tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
_CHARACTERS = "0123456789-:+.,TtZz \t\n\r\f\v"
_FRACTION = r"(?:[.,]([0-9]{1,3})[0-9]*)?"
_OFFSET = r"\s*(?:[Zz]|([+-](?:[01][0-9]|2[0-3]))(?::?([0-5][0-9]))?)?"
_ISO = (
    r"^\s*([0-9]{4}-[0-9]{2}-[0-9]{2})"
    rf"(?:[Tt ]([0-9]{{2}}:[0-9]{{2}})(?:(:[0-9]{{2}}){_FRACTION})?{_OFFSET})?\s*$"
)
_MOST_FREQUENT = (
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(?:[.][0-9]{3,})?(?:Z|[+]00:00)?$"
)
"""In UTC, as Python and browsers write it; parsing this costs half as much as any form."""
_BASIC = (
    r"^\s*([0-9]{4})([0-9]{2})([0-9]{2})"
    rf"[Tt]([0-9]{{2}})([0-9]{{2}})(?:([0-9]{{2}}){_FRACTION})?{_OFFSET}\s*$"
)


def read_date(value: Expression) -> Expression:
    """Read a text in ISO 8601; everything else stays as it is."""

    def in_basic_format(found: str) -> Expression:
        return when(found, _date(_basic_parts(found), value), value)

    def in_usual_format(found: str) -> Expression:
        basic = called("basic", _found(value, _BASIC), in_basic_format)
        return when(found, _date(_parts(found), value), basic)

    any_form = called("found", _found(value, _ISO), in_usual_format)
    is_most_frequent = {"$regexMatch": {"input": value, "regex": _MOST_FREQUENT}}
    read = when(is_most_frequent, _date([_without_zone(value), "+0000"], value), any_form)
    return when({"$and": [is_a(value, "string"), _may_be_date(value)]}, read, value)


def _without_zone(text: Expression) -> Expression:
    """Cut a time of the most frequent form after milliseconds, else after seconds."""
    has_decimals = {"$eq": [{"$substrBytes": [text, 19, 1]}, "."]}
    return {"$substrBytes": [text, 0, when(has_decimals, 23, 19)]}


def _may_be_date(value: Expression) -> Expression:
    """Check that a text holds nothing but what dates hold.

    MongoDB stops with an error where a regular expression meets text that is not UTF-8.
    """
    return {"$eq": [{"$trim": {"input": value, "chars": _CHARACTERS}}, ""]}


def _found(value: Expression, pattern: str) -> Expression:
    return {"$regexFind": {"input": value, "regex": pattern}}


def _group(found: str, number: int, default: str) -> Expression:
    return {"$ifNull": [{"$arrayElemAt": [f"{found}.captures", number]}, default]}


def _parts(found: str) -> list[Expression]:
    """Write a date as one that the server reads at once; it looks a `Z` up among time zones."""
    time = [_group(found, 1, "00:00"), _group(found, 2, ":00"), ".", _group(found, 3, "0")]
    return [_group(found, 0, ""), "T", *time, _group(found, 4, "+00"), _group(found, 5, "00")]


def _basic_parts(found: str) -> list[Expression]:
    date = [_group(found, 0, ""), "-", _group(found, 1, ""), "-", _group(found, 2, "")]
    time = [_group(found, 3, ""), ":", _group(found, 4, ""), ":", _group(found, 5, "00")]
    offset = [_group(found, 7, "+00"), _group(found, 8, "00")]
    return [*date, "T", *time, ".", _group(found, 6, "0"), *offset]


def _date(parts: list[Expression], otherwise: Expression) -> Expression:
    read = {"$dateFromString": {"dateString": {"$concat": parts}, "onError": otherwise}}
    return called("date", read, lambda date: when(_is_known(date), date, otherwise))


def _is_known(date: Expression) -> Expression:
    return {"$and": [{"$gte": [date, _FIRST]}, {"$lte": [date, _LAST]}]}


_FORMER_ISO = (
    r"^\s*[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]+)?)?"
    r"\s*(Z|[+-]([01][0-9]|2[0-3]):?[0-5][0-9])?)?\s*$"
)


def read_date_as_before(value: Expression) -> Expression:
    """Read a text in the forms that earlier releases read; going down undoes what they did."""
    is_former = {"$regexMatch": {"input": value, "regex": _FORMER_ISO}}
    is_text = {"$and": [is_a(value, "string"), _may_be_date(value)]}
    return when(is_text, when(is_former, read_date(value), value), value)
