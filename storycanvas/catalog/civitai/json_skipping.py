"""Goes on behind what is no JSON, but only where a next item surely begins.

A version or a file looks much like an item, so a guess could make a model out of a file.
"""

import re

from storycanvas.catalog.civitai.json_window import BrokenJson, JsonWindow, TextEnds

_STRING = re.compile(r'"(?:[^"\\\x00-\x08\x0a-\x1f]++|\\.)*+')
_PLAIN = re.compile(r'[^"\[\]{}]*+')
_SPACE = re.compile(r"[ \t\r\n]*+")
_WORD = re.compile(r"[^\s\"\[\]{},:]++(?=[ \t\r\n]*+[,\]])")
_AFTER_STRING = ":,]}"
_CLOSING = {"{": "}", "[": "]"}


def balanced_end(text: str, at: int, stop: int | None = None) -> int:
    """Find where an object or list ends, by its brackets and strings alone.

    Args:
        text: Holds it.
        at: Where it begins.
        stop: Where the text counts as ended.

    Raises:
        BrokenJson: Brackets do not fit, or a quotation mark is missing: what is text and what is
            not cannot be told any more.
        TextEnds: It does not end before `stop`.
    """
    stop = len(text) if stop is None else stop
    if text[at : at + 1] not in _CLOSING:
        raise BrokenJson("It is neither an object nor a list.")
    open_ones: list[str] = []
    while at < stop:
        letter = text[at]
        if letter == '"':
            at = _end_of_string(text, at, stop)
        elif letter in _CLOSING:
            open_ones.append(_CLOSING[letter])
            at += 1
        elif letter in "]}":
            if open_ones.pop() != letter:
                raise BrokenJson("Its brackets do not fit.")
            at += 1
        if not open_ones:
            return at
        plain = _PLAIN.match(text, at, stop)
        at = plain.end() if plain else at
    raise TextEnds("The text ends within it.")


def skip_item(window: JsonWindow) -> bool:
    """Go behind an item of a list that cannot be read.

    Items that begin a line begin all in the same column; whatever comes first, the item's own end
    or a line that begins as it does, is where to go on.

    Args:
        window: Stands before the item.

    Returns:
        Whether it was possible; if not, the window has not moved.
    """
    if window.peek() not in _CLOSING:
        return _skip_word(window)
    following = _line_like_this(window)
    while True:
        stop = None if following is None else window.at + following
        try:
            window.at = balanced_end(window.text, window.at, stop)
        except BrokenJson:
            break
        except TextEnds:
            if following is not None or not window.grow_to_twice():
                break
        else:
            return True
    if following is None:
        return False
    window.at += following
    return True


def _skip_word(window: JsonWindow) -> bool:
    """Go behind a word that is no JSON, such as `None`, if the list goes on or ends after it."""
    word = _WORD.match(window.text, window.at)
    if word is None:
        return False
    window.at = word.end()
    return True


def _line_like_this(window: JsonWindow) -> int | None:
    """Find the next line that begins as an item's line does, counted from here.

    All lines between belong to the item: they lie deeper, close it, or are empty. In a text without
    indentation there is no such line, since a part of the item may begin as the item does.
    """
    indent = window.indent
    if indent is None:
        return None
    searched = 0
    while True:
        end = window.text.find("\n", window.at + searched)
        if end < 0 or len(window.text) < end + len(indent) + 2:
            if not window.grow():
                return None
            continue
        if window.text.startswith(f"{indent}{{", end + 1):
            return end - window.at
        if not window.text.startswith(tuple(indent + first for first in " \t}"), end + 1) and (
            window.text[end + 1] not in "\r\n"
        ):
            return None
        searched = end + 1 - window.at


def _end_of_string(text: str, at: int, stop: int) -> int:
    body = _STRING.match(text, at, stop)
    end = body.end() if body else stop
    if end >= stop or (text[end] == "\\" and end + 1 >= stop):
        raise TextEnds("The text ends within a string.")
    space = _SPACE.match(text, end + 1, stop)
    after = space.end() if space else stop
    if after >= stop:
        raise TextEnds("The text ends after a string.")
    if text[end] != '"' or text[after] not in _AFTER_STRING:
        raise BrokenJson("A quotation mark is missing.")
    return after
