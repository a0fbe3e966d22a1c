"""How unlike reference images are by the recogniser of a face host, which the ledger keeps."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

from db.schema.documents.faces import OperationRecord
from storycanvas.faces.errors import FaceError, NoFace
from storycanvas.faces.measures.baseline import Distances
from storycanvas.faces.plan import Plan, PlanPicture, Step
from storycanvas.faces.recipes.finding import compare_pictures
from storycanvas.faces.results.seen_faces import SeenFace
from storycanvas.faces.sources.trust import NamedBy
from tasks.faces.measuring.baselines import Compare

Look = Callable[[Step, Sequence[PlanPicture], bool], OperationRecord]
"""Takes a look from the ledger, or has a host do it and keeps it; anew where the last is True."""


def comparison_plan(references: Iterable[str]) -> Plan:
    """Plan the looks that compare reference images of a character."""
    return compare_pictures(
        [
            PlanPicture(
                name=f"reference image {number}", reference=reference, named_by=NamedBy.DOCUMENT
            )
            for number, reference in enumerate(references, start=1)
        ]
    )


def compared_on_hosts(look: Look) -> Compare:
    """Compare faces by what face hosts see; each pair that no host has compared is one look."""
    return partial(_distances, look)


def _distances(look: Look, seen: Mapping[str, SeenFace]) -> Distances:
    plan = comparison_plan(seen)
    pictures = {picture.name: picture for picture in plan.pictures}
    found: dict[tuple[str, str], float] = {}
    refused: FaceError | None = None
    for step in plan.steps:
        first, second = (pictures[name] for name in step.inputs)
        try:
            distance = _distance(look, step, (first, second))
        except NoFace as error:  # of one of both pictures: the engine sees less than the mesh
            refused = error
            continue
        if distance is not None:
            found[first.reference, second.reference] = distance
    if not found and refused is not None:
        raise refused
    return found


def _distance(look: Look, step: Step, pictures: Sequence[PlanPicture]) -> float | None:
    told = _told(look(step, pictures, False))
    # An older host may have left the entry without a distance; the present one may tell it.
    return told if told is not None else _told(look(step, pictures, True))


def _told(record: OperationRecord) -> float | None:
    largest = next(iter(record.faces or ()), None)
    return None if largest is None else largest.get("reference_distance")
