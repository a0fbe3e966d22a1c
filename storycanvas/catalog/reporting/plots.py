"""The pictures of the reports."""

from storycanvas.catalog.reporting.charts import models_plot
from storycanvas.catalog.reporting.health_chart import health_plot

__all__ = ["health_plot", "models_plot"]
