"""Text with a JSON value in each line."""

from storycanvas.catalog.civitai.json_skipping import balanced_end
from storycanvas.catalog.civitai.json_window import MAX_LETTERS, BrokenJson, JsonWindow, TextEnds

_MAX_LOOK_LENGTH = 8 * 1024 * 1024
_LINES_TO_LOOK_AT = 3


def has_lines(window: JsonWindow) -> bool:
    """Tell whether each line is a value of its own, by the first few.

    Args:
        window: Stands at the beginning of the text, and stays there.
    """
    if window.peek() == "[":
        return False
    while len(window.text) < _MAX_LOOK_LENGTH and window.text.count("\n") <= _LINES_TO_LOOK_AT:
        if not window.grow():
            break
    first, *others = window.text[window.at :].split("\n", _LINES_TO_LOOK_AT)[:_LINES_TO_LOOK_AT]
    if _is_whole(first):
        return True
    goes_on = first.rstrip().endswith(("{", "[", ","))
    return not goes_on and any(map(_is_whole, others))


def next_line(window: JsonWindow) -> str:
    """Read the rest of the line.

    Raises:
        BrokenJson: It is too long; the window stands behind it.
    """
    while (end := window.text.find("\n", window.at)) < 0 and window.grow():
        pass
    if end < 0 and not window.ended:
        _skip_line(window)
        raise BrokenJson(f"The line is longer than {MAX_LETTERS} letters.")
    begin, window.at = window.at, len(window.text) if end < 0 else end + 1
    return window.text[begin : window.at]


def _skip_line(window: JsonWindow) -> None:
    while (end := window.text.find("\n", window.at)) < 0:
        window.at = len(window.text)
        if not window.grow():
            return
    window.at = end + 1


def _is_whole(line: str) -> bool:
    try:
        return not line[balanced_end(line, 0) :].strip()
    except (BrokenJson, TextEnds):
        return False
