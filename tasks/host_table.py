"""A host as a row of the table in the Prefect UI."""

from catalog.health.check import GpuGuard, HostCheck


def host_row(check: HostCheck) -> dict[str, str]:
    """Make the row; `kind`, `name`, `address` and `state` are read again by the next run."""
    queue = check.queue
    latency, free = check.latency_ms, check.free_disk_bytes
    return {
        "name": check.name,
        "kind": check.kind,
        "state": check.state,
        "latency": "" if latency is None else f"{latency:.1f} ms",
        "version": check.version or "",
        "queue": "" if queue is None else f"{queue.running} running, {queue.waiting} waiting",
        "GPU guard": "" if check.gpu is None else _guard(check.gpu),
        "free disk": "" if free is None else f"{free / 1e9:.1f} GB",
        "note": check.note or "",
        "address": check.address,
    }


def _guard(guard: GpuGuard) -> str:
    if guard.slots is None:
        return "NO LIMIT"
    taken = f"{guard.taken} of {guard.slots} slots taken"
    return taken if guard.guarded else f"{taken}, SWITCHED OFF"
