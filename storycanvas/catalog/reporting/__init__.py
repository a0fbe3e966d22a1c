"""Reports, tables and plots of the model catalog."""
