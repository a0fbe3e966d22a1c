"""What is told about the model catalog: reports, tables and plots."""
