"""What is measured of the sample portrait."""

from storycanvas.faces.measures.measuring import face_meter
from tests.support.portraits import portrait


def test_the_face_of_the_portrait_is_measured() -> None:
    measured = face_meter().measure(portrait())

    assert measured.not_measured == ()
    assert measured.landmarked is not None
    assert measured.measures is not None
    (landmarked,), (face,) = measured.landmarked, measured.measures
    assert landmarked.points.shape == (468, 3)
    left, top, width, height = face.box
    assert (170 < left < 185, 60 < top < 75) == (True, True)
    assert (85 < width < 110, 95 < height < 120) == (True, True)
    assert max(abs(face.yaw), abs(face.pitch), abs(face.roll)) < 15
    assert face.fit > 0.9
    assert face.age is not None
    assert 20 < face.age < 50
