"""The pictures of the reports."""

from catalog.reporting.health_picture import health_plot
from catalog.reporting.models_picture import models_plot

__all__ = ["health_plot", "models_plot"]
