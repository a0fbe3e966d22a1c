"""Pictures that a run fetched: a few at hand, the others fetched again when they are needed."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass

from storycanvas.faces.errors import PictureChanged
from storycanvas.faces.pictures.reading import Picture
from storycanvas.faces.plan import PlanPicture

MAX_AT_HAND = 10
"""Pictures of a run that stay in memory; a plan may have a thousand."""


class PictureCache:
    """Fetches each picture once, several side by side, and keeps those used last. Thread-safe.

    Two plan pictures are the same where reference, trust and size are.
    """

    def __init__(
        self, fetch: Callable[[PlanPicture], Picture], max_at_hand: int = MAX_AT_HAND
    ) -> None:
        self._fetch = fetch
        self._max_at_hand = max_at_hand
        self._pictures: OrderedDict[PlanPicture, Future[Picture]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, asked: PlanPicture) -> Picture:
        """Return a picture; who asks while it is being fetched waits for that fetch."""
        key = asked.model_copy(update={"name": "any", "label": "", "required": True})
        with self._lock:
            found = self._pictures.get(key)
            fetched: Future[Picture] = found or Future()
            self._pictures[key] = fetched
            self._pictures.move_to_end(key)
            while len(self._pictures) > self._max_at_hand:
                self._pictures.popitem(last=False)
        if found is None:
            self._fill(key, fetched)
        return fetched.result()

    def _fill(self, key: PlanPicture, fetched: Future[Picture]) -> None:
        try:
            fetched.set_result(self._fetch(key))
        except Exception as error:  # noqa: BLE001 - raised for all that wait for this fetch
            with self._lock:
                self._pictures.pop(key, None)  # the next one who asks tries again
            fetched.set_exception(error)


@dataclass(frozen=True)
class FetchedPicture:
    """What is known of a fetched picture, and the way to its content.

    Attributes:
        source: What was fetched.
        width: Pixels.
        height: Pixels.
        sha256: Pixel hash, which names the picture in operation keys.
        notes: What a person should know about how its file was read.
    """

    source: PlanPicture
    width: int
    height: int
    sha256: str
    notes: tuple[str, ...]
    cache: PictureCache

    @classmethod
    def of(cls, source: PlanPicture, cache: PictureCache) -> "FetchedPicture":
        """Fetch a picture."""
        found = cache.get(source)
        return cls(source, found.width, found.height, found.sha256, found.notes, cache)

    def content(self) -> Picture:
        """Return the picture, fetched again if it is not at hand.

        Raises:
            PictureChanged: There is another picture at its place now.
        """
        picture = self.cache.get(self.source)
        if picture.sha256 != self.sha256:
            raise PictureChanged(
                f"The {self.source.name} picture was replaced by another one during the run; start "
                "the run again."
            )
        return picture
