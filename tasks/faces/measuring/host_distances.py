"""How unlike reference images are by the recogniser of a face host, which the ledger keeps."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

from db.schema.documents.faces import OperationRecord
from storycanvas.faces.errors import NoFace
from storycanvas.faces.measures.baseline import Distances
from storycanvas.faces.plan import Plan, PlanPicture, Step
from storycanvas.faces.recipes.finding import compare_pictures
from storycanvas.faces.results.seen_faces import SeenFace
from storycanvas.faces.sources.trust import NamedBy
from tasks.faces.measuring.baselines import Compare

Look = Callable[[Step, Sequence[PlanPicture], bool], OperationRecord]
"""Takes a look from the ledger, or has a host do it and keeps it; anew where the last is True."""

ENGINE_SEES_NONE = "no two of them show the face host a face"


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
    faceless = 0
    for step in plan.steps:
        first, second = (pictures[name] for name in step.inputs)
        record = _looked(look, step, (first, second))
        if (distance := _told(record)) is not None:
            found[first.reference, second.reference] = distance
        faceless += not record.faces  # in one of both: the engine sees less than the mesh
    if faceless == len(plan.steps):
        raise NoFace(ENGINE_SEES_NONE)
    return found


def _looked(look: Look, step: Step, pictures: Sequence[PlanPicture]) -> OperationRecord:
    record = look(step, pictures, False)
    # An older host may have left the entry without a distance; the present one may tell it.
    is_old = record.faces and _told(record) is None
    return look(step, pictures, True) if is_old else record


def _told(record: OperationRecord) -> float | None:
    largest = next(iter(record.faces or ()), None)
    return None if largest is None else largest.get("reference_distance")
