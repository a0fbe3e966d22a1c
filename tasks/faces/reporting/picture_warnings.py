"""Warnings at the picture that they are about, for the sheet and the table of a run."""

from collections import defaultdict

from storycanvas.faces.reports.steps import NEEDS
from tasks.faces.inspection import Inspection
from tasks.faces.plan import PlanResult

PictureWarnings = dict[str, tuple[str, ...]]
"""Sentences by the name of a picture or step; one without any is missing."""


def picture_warnings(inspection: Inspection, result: PlanResult) -> PictureWarnings:
    """Collect what was said of each picture: before the work, in the plan, and by the measures."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for sentence, name in {**inspection.about, **result.plan.about}.items():
        found[name].append(sentence)
    for step in result.steps:
        found[step.step] += step.checks
    return {name: tuple(sentences) for name, sentences in found.items() if sentences}


def with_reasons(warnings: PictureWarnings, result: PlanResult) -> PictureWarnings:
    """Add why steps have no picture; one that only waited for another that failed has no reason."""
    reasons = {
        step.step: (*warnings.get(step.step, ()), step.error)
        for step in result.steps
        if step.error and not step.error.startswith(NEEDS)
    }
    return warnings | reasons
