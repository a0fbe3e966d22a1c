"""The bounds that a character's own reference images give, found once in a run."""

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass

from db.errors import DatabaseError
from storycanvas.faces.errors import FaceError, MeasuringFailed, OperationCancelled
from storycanvas.faces.likeness.reading import pairwise_distances
from storycanvas.faces.measures.baseline import MIN_REFERENCES, Distances, character_baseline
from storycanvas.faces.measures.measure import LikenessScale
from storycanvas.faces.results.meters import Meters
from storycanvas.faces.results.seen_faces import SeenFace, SeenFaces

MAX_REFERENCES = 5
"""Reference images that are compared, the first ones: ten pairs. They take a second of one
processor core, or ten looks of a host, which the ledger keeps."""

Compare = Callable[[Mapping[str, SeenFace]], Distances]
"""Measures how unlike the largest faces of pictures are, by the pictures' references."""

TOO_FEW = "fewer than three of the character's reference images show a face"
TOO_UNLIKE = "fewer than three of the character's reference images show one person"


@dataclass(frozen=True)
class CharacterBound:
    """What the reference images of a character say of its likeness.

    Attributes:
        same_below: Distance below which a face shows the character; None where they give none.
        reason: Why they give none, without a full stop.
    """

    same_below: float | None = None
    reason: str = ""


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
        self._found: dict[tuple[str, LikenessScale], Future[CharacterBound]] = {}
        self._lock = threading.Lock()

    def of(self, character_id: str, scale: LikenessScale, compare: Compare) -> CharacterBound:
        """Find the bound of a character on a scale.

        Args:
            character_id: Whose reference images are compared.
            scale: Whose distances `compare` measures.
            compare: Compares them; called once in a run, unless it ends with its job.
        """
        key = (character_id, scale)
        with self._lock:
            known = self._found.get(key)
            found: Future[CharacterBound] = known or Future()
            self._found[key] = found
        if known is None:
            try:
                found.set_result(self._bound(character_id, scale, compare))
            except Exception as error:  # noqa: BLE001 - raised for all that wait for it
                if not _fails_again(error):
                    with self._lock:
                        self._found.pop(key, None)
                found.set_exception(error)
        return found.result()

    def references(self, character_id: str) -> dict[str, SeenFace]:
        """Find the largest face of each reference image that is compared, by the references."""
        references = [*dict.fromkeys(self._references(character_id))][:MAX_REFERENCES]
        if len(references) < MIN_REFERENCES:
            return {}
        return {name: face for name in references if (face := self._largest(name)) is not None}

    def _bound(self, character_id: str, scale: LikenessScale, compare: Compare) -> CharacterBound:
        seen = self.references(character_id)
        if len(seen) < MIN_REFERENCES:
            return CharacterBound(reason=TOO_FEW)
        baseline = character_baseline(compare(seen), scale)
        if baseline is None:
            return CharacterBound(reason=TOO_UNLIKE)
        return CharacterBound(baseline.same_below)

    def _largest(self, reference: str) -> SeenFace | None:
        try:
            return next(iter(self._faces(reference)), None)
        except FaceError:  # an image that is gone tells nothing of the others
            return None


def compared_by(meters: Meters) -> Compare:
    """Compare faces in this process, by its optional recogniser."""

    def compare(seen: Mapping[str, SeenFace]) -> Distances:
        if meters.likeness is None:  # measured by an earlier run, which had one
            raise MeasuringFailed(meters.missing.get("likeness", "nothing measures likeness here"))
        return pairwise_distances(meters.likeness, {name: seen[name].cut for name in seen})

    return compare


def _fails_again(error: Exception) -> bool:
    """Check whether what failed would fail for the next picture, too."""
    if isinstance(error, OperationCancelled):  # one job of many was stopped
        return False
    return isinstance(error, FaceError | DatabaseError)
