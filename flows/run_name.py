"""Names of runs that say whether they only look."""

from prefect.runtime import flow_run


def dry_run_name() -> str:
    """Name a run after its flow, and say when it changes nothing."""
    dry = " (dry run)" if flow_run.parameters.get("dry_run") else ""
    return f"{flow_run.flow_name}{dry}"
