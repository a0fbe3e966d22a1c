"""Decoded pictures that are likely to be asked for next, so that none is decoded twice in a row."""

import threading
from collections import OrderedDict

from storycanvas.faces.pictures.reading import Picture

MAX_KEPT_PIXELS = 25_000_000
"""Of all pictures kept; Pillow takes four bytes for each: at most 100 MB, and their files."""

MAX_KEPT_PICTURES = 8
"""Thousands of small ones would fit, each with some memory of its own."""


class RecentPictures:
    """Keeps the pictures that were used last, by their content's name; usable from threads.

    A run makes several pictures from one and works on each result once more, so an operation often
    begins with pixels that the one before had.
    """

    def __init__(self, max_pixels: int = MAX_KEPT_PIXELS) -> None:
        self._max_pixels = max_pixels
        self._pictures: OrderedDict[str, Picture] = OrderedDict()
        self._lock = threading.Lock()

    def find(self, name: str) -> Picture | None:
        """Return a kept picture."""
        with self._lock:
            if name in self._pictures:
                self._pictures.move_to_end(name)
            return self._pictures.get(name)

    def add(self, name: str, picture: Picture) -> None:
        """Keep a picture with its pixels, unless it is too large or a note belongs to its file."""
        if picture.width * picture.height > self._max_pixels or picture.notes:
            return
        with self._lock:
            self._pictures[name] = picture
            self._pictures.move_to_end(name)
            while len(self._pictures) > MAX_KEPT_PICTURES or self._pixels() > self._max_pixels:
                self._pictures.popitem(last=False)

    def _pixels(self) -> int:
        return sum(picture.width * picture.height for picture in self._pictures.values())
