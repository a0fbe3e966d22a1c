"""Why a face was not measured, one class for each thing that happens.

No class is retryable: each takes a person, or another package.
"""

from storycanvas.faces.errors import MeasuringFailed


class WeightsMissing(MeasuringFailed):
    """The package that carries the weights of a measure is not installed."""


class WeightsChanged(MeasuringFailed):
    """A file of weights is not the one whose figures are known."""


class OutputNotFinite(MeasuringFailed):
    """A network answered with something that is no finite number."""
