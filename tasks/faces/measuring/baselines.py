"""The bounds that a character's own reference images give, found once in a run."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future

from storycanvas.faces.errors import FaceError
from storycanvas.faces.likeness.reading import pairwise_distances
from storycanvas.faces.measures.baseline import MIN_REFERENCES, character_baseline
from storycanvas.faces.measures.measure import LikenessMeter, LikenessScale
from storycanvas.faces.results.seen_faces import SeenFace, SeenFaces

MAX_REFERENCES = 5
"""Reference images that are compared, the first ones: ten pairs, a second of one processor core."""

CharacterBounds = dict[LikenessScale, float]


class Baselines:
    """Bounds by character. Thread-safe.

    Args:
        references: Names the reference images of a character.
        faces: Finds the faces of one of them.
    """

    def __init__(
        self,
        references: Callable[[str], Sequence[str]],
        faces: Callable[[str], SeenFaces],
    ) -> None:
        self._references = references
        self._faces = faces
        self._found: dict[str, Future[CharacterBounds]] = {}
        self._lock = threading.Lock()

    def of(self, character_id: str, meter: LikenessMeter | None) -> CharacterBounds:
        """Find the bounds of a character, by scale; none where its images do not give one."""
        if meter is None:
            return {}
        with self._lock:
            known = self._found.get(character_id)
            found: Future[CharacterBounds] = known or Future()
            self._found[character_id] = found
        if known is None:
            try:
                found.set_result(self._bounds(character_id, meter))
            except Exception as error:  # noqa: BLE001 - raised for all that wait for it
                found.set_exception(error)
        return found.result()

    def _bounds(self, character_id: str, meter: LikenessMeter) -> CharacterBounds:
        references = [*dict.fromkeys(self._references(character_id))][:MAX_REFERENCES]
        if len(references) < MIN_REFERENCES:
            return {}
        seen = {name: face for name in references if (face := self._largest(name)) is not None}
        cuts = {name: face.cut for name, face in seen.items()}
        baseline = character_baseline(pairwise_distances(meter, cuts), meter.scale)
        return {} if baseline is None else {meter.scale: baseline.same_below}

    def _largest(self, reference: str) -> SeenFace | None:
        try:
            return next(iter(self._faces(reference)), None)
        except FaceError:  # an image that is gone tells nothing of the others
            return None
