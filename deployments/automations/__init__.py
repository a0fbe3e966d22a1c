"""What the Prefect server does by itself, as code."""
