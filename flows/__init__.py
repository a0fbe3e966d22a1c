"""What a person can start: one file a flow. A flow composes tasks and recipes and does nothing else."""
