"""A window on JSON text that is too long to be read whole."""

import json
import re
from collections.abc import Iterable

from storycanvas.catalog.json_text import lenient_decoder

MAX_LETTERS = 16 * 1024 * 1024
"""Longest value, or line, that is read."""

_SPACE = re.compile(r"[ \t\r\n]*")
_MAX_WORD_LENGTH = 16
"""A word or an escape may be cut by the window's edge: `-Infinity`, or half of an escaped pair."""

_MAX_INDENT_LENGTH = 256


class BrokenJson(ValueError):
    """What comes next is no JSON."""


class TextEnds(ValueError):
    """The text ends within a value."""


class JsonWindow:
    """Text from its parts, of which only what is being read is kept.

    Args:
        parts: The text; none is empty.
        line: Number of its first line.

    Attributes:
        text: What is in the window; positions count from its beginning.
        at: Position of what comes next.
        ended: Whether the window reaches to the end of the text.
    """

    def __init__(self, parts: Iterable[str], line: int = 1) -> None:
        self._parts = iter(parts)
        self._decoder = lenient_decoder()
        self._first_line = line
        self._line_begin = ""
        self._gone = 0
        self.text = ""
        self.at = 0
        self.ended = False

    @property
    def line(self) -> int:
        """Number of the line that comes next, from 1."""
        return self._first_line + self.text.count("\n", 0, self.at)

    @property
    def passed(self) -> int:
        """Letters of the whole text before what comes next."""
        return self._gone + self.at

    @property
    def indent(self) -> str | None:
        """What stands before this place in its line; None if that is not only space."""
        begin = self.text.rfind("\n", 0, self.at) + 1
        before = self.text[begin : self.at] if begin else self._line_begin + self.text[: self.at]
        return None if before.strip(" \t") else before

    def grow(self) -> bool:
        """Take one more part into the window, and let go what is behind.

        Returns:
            Whether there was one, and room for it.
        """
        if self.ended or len(self.text) - self.at >= MAX_LETTERS:
            return False
        part = next(self._parts, None)
        if part is None:
            self.ended = True
            return False
        self._let_go()
        self.text += part
        return True

    def grow_to_twice(self) -> bool:
        """Double what is ahead, so that reading a long value again and again stays cheap.

        Returns:
            Whether there is more than before.
        """
        before = len(self.text) - self.at
        while len(self.text) - self.at < 2 * before + 1 and self.grow():
            pass
        return len(self.text) - self.at > before

    def peek(self) -> str:
        """Go to the next letter that is no space, and tell it; empty at the end of the text."""
        while True:
            space = _SPACE.match(self.text, self.at)
            self.at = space.end() if space else self.at
            if self.at < len(self.text):
                return self.text[self.at]
            if not self.grow():
                return ""

    def take(self, letter: str) -> bool:
        """Go behind the next letter that is no space, if it is this one."""
        found = self.peek() == letter
        self.at += found
        return found

    def value(self) -> object:
        """Read the value that comes next.

        Raises:
            BrokenJson: It is none, or too long; the window stays before it.
            TextEnds: The text ends within it.
        """
        self.peek()
        while True:
            try:
                value, end = self._decoder.raw_decode(self.text, self.at)
            except json.JSONDecodeError as error:
                self._need_more(error)
            except RecursionError as error:
                raise BrokenJson("It is nested too deeply.") from error
            else:
                if end < len(self.text) or not self.grow():
                    self.at = end
                    return value

    def _need_more(self, error: json.JSONDecodeError) -> None:
        at_the_edge = error.pos >= len(self.text) - _MAX_WORD_LENGTH
        if not at_the_edge and not error.msg.startswith("Unterminated"):
            raise BrokenJson(f"It is no JSON: {error.msg}.") from error
        if self.grow_to_twice():
            return
        if not self.ended:
            raise BrokenJson(f"It is longer than {MAX_LETTERS} letters.") from error
        raise TextEnds("The text ends within it.") from error

    def _let_go(self) -> None:
        begin = self.text.rfind("\n", 0, self.at) + 1
        before = self.text[begin : self.at] if begin else self._line_begin + self.text[: self.at]
        self._line_begin = before[:_MAX_INDENT_LENGTH]
        self._first_line += self.text.count("\n", 0, self.at)
        self._gone += self.at
        self.text = self.text[self.at :]
        self.at = 0
