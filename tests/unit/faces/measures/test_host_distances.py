"""Reference images are compared by looks of a face host, each pair once and in any order."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from db.schema.documents.faces import OperationRecord
from storycanvas.faces.errors import HostUnreachable, NoFace
from storycanvas.faces.measures.baseline import Distances
from storycanvas.faces.operations import FaceSelectorMode, FaceSelectorOrder
from storycanvas.faces.plan import PlanPicture, Step
from storycanvas.faces.sources.trust import NamedBy
from tasks.faces.measuring.host_distances import (
    ENGINE_SEES_NONE,
    compared_on_hosts,
    comparison_plan,
)

FACES = {"a.png": 0.1, "b.png": 0.3, "c.png": 0.6}


def record(faces: list[dict[str, Any]]) -> OperationRecord:
    return OperationRecord(
        operation_key="key",
        key_version=1,
        operation_type="detect",
        parameters={},
        inputs=[],
        engine="facefusion",
        engine_version="3.8.1",
        host="http://host",
        faces=faces,
        processing_time_seconds=0.1,
        created_at=datetime.now(UTC),
    )


class Host:
    """Tells distances by numbers of its own; `odd` pictures show it no face."""

    def __init__(self, odd: str = "", *, old: bool = False) -> None:
        self.odd, self.old = odd, old
        self.looks: list[tuple[str, str, bool]] = []

    def look(self, step: Step, pictures: Sequence[PlanPicture], anew: bool) -> OperationRecord:
        first, second = (picture.reference for picture in pictures)
        assert step.inputs == tuple(picture.name for picture in pictures)
        self.looks.append((first, second, anew))
        if self.odd in {first, second}:
            return record([])
        if self.old and not anew:
            return record([{"x": 0}])
        apart = abs(FACES[first] - FACES[second])
        return record([{"reference_distance": apart}, {"reference_distance": 0.9}])

    def distances(self, *references: str) -> Distances:
        seen: Mapping[str, Any] = dict.fromkeys(references)
        return compared_on_hosts(self.look)(seen)


def test_each_pair_is_looked_at_once_and_the_largest_face_counts() -> None:
    host = Host()

    found = host.distances("a.png", "b.png", "c.png")

    assert found == {
        ("a.png", "b.png"): pytest.approx(0.2),
        ("a.png", "c.png"): pytest.approx(0.5),
        ("b.png", "c.png"): pytest.approx(0.3),
    }
    assert len(host.looks) == 3


def test_another_order_of_the_references_asks_the_same() -> None:
    first, second = Host(), Host()
    first.distances("a.png", "b.png", "c.png")
    second.distances("c.png", "a.png", "b.png")

    assert first.looks == second.looks


def test_a_picture_in_which_the_host_sees_no_face_leaves_the_others_and_is_not_asked_anew() -> None:
    host = Host("c.png")

    assert list(host.distances("a.png", "b.png", "c.png")) == [("a.png", "b.png")]
    assert [anew for *_, anew in host.looks] == [False] * 3


def test_where_the_host_sees_no_face_at_all_the_reason_is_raised() -> None:
    with pytest.raises(NoFace, match=ENGINE_SEES_NONE):
        Host("a.png").distances("a.png", "b.png")


def test_a_host_that_is_away_is_asked_once() -> None:
    class Away(Host):
        def look(self, step: Step, pictures: Sequence[PlanPicture], anew: bool) -> OperationRecord:
            super().look(step, pictures, anew)
            raise HostUnreachable("It is away.")

    host = Away()
    with pytest.raises(HostUnreachable):
        host.distances("a.png", "b.png", "c.png")
    assert len(host.looks) == 1


def test_what_an_older_host_has_left_without_a_distance_is_looked_at_anew() -> None:
    host = Host(old=True)

    assert host.distances("a.png", "b.png") == {("a.png", "b.png"): pytest.approx(0.2)}
    assert [anew for *_, anew in host.looks] == [False, True]


def test_a_look_leaves_no_face_out_and_trusts_the_pictures_like_a_document() -> None:
    plan = comparison_plan(["b.png", "a.png"])
    (step,) = plan.steps

    assert step.name == "compare reference image 2 with reference image 1"
    assert step.operation.face_selector_mode is FaceSelectorMode.MANY
    assert step.operation.face_selector_order is FaceSelectorOrder.LARGE_SMALL
    assert step.operation.reference_face_distance == 1.0
    assert {picture.named_by for picture in plan.pictures} == {NamedBy.DOCUMENT}
