"""Tables as CSV that a spreadsheet opens without computing anything."""

import pandas as pd

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What a spreadsheet takes for the beginning of a formula; the last four are wide forms."""


def as_csv(frame: pd.DataFrame) -> bytes:
    """Write a table as CSV.

    Names of files come from strangers, so text that a spreadsheet would take for a formula gets a
    leading apostrophe. Numbers stay as they are.

    Args:
        frame: The table; its index is left out.

    Returns:
        UTF-8 with a header line, as RFC 4180 has it; moments as ISO 8601, what is unknown as an
        empty cell.
    """
    columns = {name: [_cell(value) for value in frame[name]] for name in frame.columns}
    safe = pd.DataFrame(columns, columns=frame.columns, dtype=object)
    return safe.to_csv(index=False, lineterminator="\r\n").encode("utf-8", "replace")


def _cell(value: object) -> object:
    if isinstance(value, str) and value.lstrip(" ").startswith(_FORMULA_STARTS):
        return f"'{value}"
    if isinstance(value, pd.Timestamp):
        return value.isoformat()
    return value
