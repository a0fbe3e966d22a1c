"""Faces with all that is known of them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from facefusion import face_store, inference_manager, state_manager
from facefusion.face_detector import Found, detect_faces
from facefusion.face_helper import warp_face_by_face_landmark_5
from facefusion.face_points import face_points, five_of
from facefusion.types import Face
from facefusion.vision import Frame, is_vision_frame
from facefusion.weights import CLASSIFIER, RECOGNISER, landmarkers

LANDMARKER_SCORE = 0.95
AGES = (
    range(2),
    range(3, 9),
    range(10, 19),
    range(20, 29),
    range(30, 39),
    range(40, 49),
    range(50, 59),
    range(60, 69),
    range(70, 100),
)


def get_many_faces(vision_frames: list[Frame | None]) -> list[Face]:
    """Find the faces of pictures, in the order of detection; what is no picture is skipped."""
    return [
        create_face(frame, found)
        for frame in vision_frames
        if is_vision_frame(frame)
        for found in detect_faces(frame)
    ]


def get_static_faces(vision_frames: list[Frame | None]) -> list[Face]:
    """Find the faces of pictures, or remember them: by the pixels, blind to the settings."""
    many: list[Face] = []
    for frame in vision_frames:
        faces = face_store.get_faces(frame)
        if not faces:
            faces = get_many_faces([frame])
            if faces:
                face_store.set_faces(frame, faces)
        many.extend(faces)
    return many


def get_one_face(faces: list[Face], position: int = 0) -> Face | None:
    """Take the face at a position; past the end the last one, None when there is none."""
    return faces[min(position, len(faces) - 1)] if faces else None


def create_face(vision_frame: Frame, found: Found) -> Face:
    """Return all that the networks would say about a detected face."""
    inference_manager.load((*landmarkers(), *RECOGNISER, *CLASSIFIER))
    landmarks, score = landmarks_of(found)
    crop, _ = warp_face_by_face_landmark_5(
        vision_frame, landmarks["5/68"], "arcface_112_v2", (112, 112)
    )
    colour = crop.reshape(-1, 3).mean(axis=0)[::-1]
    embedding = np.zeros(512)
    embedding[:4] = [*(colour / 127.5 - 1), 0.05]
    return Face(
        origin="detect",
        bounding_box=found.box,
        score_set={"detector": found.score, "landmarker": score},
        landmark_set=landmarks,
        angle=0,
        embedding=embedding,
        embedding_norm=embedding / np.linalg.norm(embedding),
        age=AGES[min(int(colour.mean() / 255 * len(AGES)), len(AGES) - 1)],
        gender="female",
        race="white",
    )


def landmarks_of(found: Found) -> tuple[dict[str, NDArray[Any]], float]:
    """Return the four sets of landmarks, and how sure the landmarker is of its own."""
    points = found.middle + face_points() * found.size
    five = five_of(points)
    lowest = state_manager.get_item("face_landmarker_score")
    score = LANDMARKER_SCORE if lowest > 0 else 0.0
    # The landmarker never agrees with the detector to the last digit.
    finer = five + 0.001 if score > lowest else five
    own = points + 0.001 if score else points
    return {"5": five, "5/68": finer, "68": own, "68/5": points}, score


def scale_face(target_face: Face, target_vision_frame: Frame, temp_vision_frame: Frame) -> Face:
    """Move a face from the picture it was found in to the same picture in another size."""
    to, of = temp_vision_frame.shape[1::-1], target_vision_frame.shape[1::-1]
    scale = np.array(to) / np.array(of)
    marks = {name: points * scale for name, points in target_face.landmark_set.items()}
    box = target_face.bounding_box * np.tile(scale, 2)
    return target_face._replace(bounding_box=box, landmark_set=marks)
