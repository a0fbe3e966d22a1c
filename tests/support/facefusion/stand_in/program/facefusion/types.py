"""What is known of a face."""

from typing import Any, NamedTuple

from numpy.typing import NDArray


class Face(NamedTuple):
    """One face of a picture; points and boxes (left, top, right, bottom) in pixels."""

    origin: str
    bounding_box: NDArray[Any]
    score_set: dict[str, float]
    landmark_set: dict[str, NDArray[Any]]
    angle: int
    embedding: NDArray[Any]
    embedding_norm: NDArray[Any]
    age: range
    gender: str
    race: str
