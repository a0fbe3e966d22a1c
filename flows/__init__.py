"""What a person can start, one file a flow: it composes tasks and recipes, nothing else."""

import os

# A flow called without a Prefect server starts one of its own. Kept in memory, the lease of a run
# that is killed would be lost with that server, and its slot of the GPU host with it.
os.environ.setdefault(
    "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE",
    "prefect.server.concurrency.lease_storage.filesystem",
)
# Its first start creates the server's database, which takes longer than Prefect's 20 s on a busy
# machine.
os.environ.setdefault("PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS", "120")

if os.environ.get("PREFECT__FLOW_RUN_ID"):  # this process is a run that a worker started
    from tasks.retries import watch_worker

    watch_worker()
