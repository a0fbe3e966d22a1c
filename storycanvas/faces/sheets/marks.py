"""Whose a contact sheet is, written into its file: nothing else tells it once its run is forgotten.

It stands in a comment of the JPEG file, which changes no pixel (ITU-T T.81, B.2.4.5).
"""

_MARK = b"storycanvas:character "
_START, _FIRST, _COMMENT, _SCAN = b"\xff\xd8", b"\xff\xe0", 0xFE, 0xDA
_MAX_BYTES = 2000
MARKED_WITHIN = 4096
"""Bytes of a file in which its mark stands."""


def with_mark(sheet: bytes, character_id: str | None) -> bytes:
    """Write into a sheet whose it is; None for a run without a character."""
    text = _MARK + (character_id or "").encode()[:_MAX_BYTES]
    comment = b"\xff\xfe" + (len(text) + 2).to_bytes(2, "big") + text
    place = len(_START)
    if sheet[place : place + 2] == _FIRST:  # readers of JFIF want theirs first
        place += 2 + int.from_bytes(sheet[place + 2 : place + 4], "big")
    return sheet[:place] + comment + sheet[place:]


def mark_of(head: bytes) -> str | None:
    """Read whose a sheet is: empty for a run without a character, None where it does not tell.

    Args:
        head: The first bytes of the file, `MARKED_WITHIN` of them or all.
    """
    place = len(_START)
    if not head.startswith(_START):
        return None
    while place + 4 <= len(head) and head[place] == _START[0] and head[place + 1] != _SCAN:
        end = place + 2 + int.from_bytes(head[place + 2 : place + 4], "big")
        text = head[place + 4 : end]
        if head[place + 1] == _COMMENT and text.startswith(_MARK):
            return text.removeprefix(_MARK).decode("utf-8", "replace")
        place = end
    return None
