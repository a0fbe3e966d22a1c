"""What a person can start, one file a flow: it composes tasks and recipes, nothing else."""
