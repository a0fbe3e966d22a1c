"""What can go wrong with a run as a whole."""

from typing import ClassVar

from faces.report import FaceRunReport


class StepsFailed(Exception):
    """Some steps of a plan failed; the others are finished and kept.

    Attributes:
        report: What became of every step.
    """

    retryable: ClassVar[bool] = False

    def __init__(self, report: FaceRunReport) -> None:
        reasons = [f"{step.step}: {step.error}" for step in report.unfinished]
        super().__init__(f"{report.summary()} {' '.join(reasons)} What is done is kept.")
        self.report = report
