"""`GET /metrics`: what a host does and costs, in Prometheus' text format.

No label has a value that a caller chooses, so the number of series is bounded.
"""

import json
import logging
from collections.abc import Callable, Iterator

import psutil
from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from storycanvas.faces.contract import Execution, OperationStatus
from storycanvas.faces.operations import OPERATIONS
from storycanvas.host.connections import Connections
from storycanvas.host.engines.engine import Engine
from storycanvas.host.operations.work_queue import WorkQueue

_log = logging.getLogger(__name__)

PREFIX = "storycanvas_host"
SUCCEEDED = "succeeded"
_SECONDS = (0.01, 0.03, 0.1, 0.3, 1, 2, 3, 5, 10, 20, 30, 60, 120, 300, 600)
_BAD_REQUEST = 400


class HostMetrics(Collector):
    """Counts what ends, and reads the rest when it is asked."""

    def __init__(
        self,
        engine: Engine,
        queue: WorkQueue,
        connections: Connections,
        shortage: Callable[[], str | None],
    ) -> None:
        self._shortage = shortage
        self._engine = engine
        self._queue = queue
        self._connections = connections
        self.registry = CollectorRegistry()
        self._ended = Counter(
            f"{PREFIX}_operations",
            "Operations that ended, by what they ended with: succeeded, cancelled, or a code.",
            ("operation", "outcome", "engine"),
            registry=self.registry,
        )
        self._phases = Histogram(
            f"{PREFIX}_operation_phase_seconds",
            "Seconds that ended operations spent in each phase.",
            ("operation", "phase"),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._refused = Counter(
            f"{PREFIX}_refusals",
            "Requests that were answered with an error, by its code.",
            ("code",),
            registry=self.registry,
        )
        for operation in OPERATIONS:  # at 0, so that the first one is an increase
            self._ended.labels(operation.path, SUCCEEDED, engine.name)
        self.registry.register(self)

    def count_ended(self, final: OperationStatus) -> None:
        """Count an operation that has ended, and write it to the log."""
        outcome = final.error.code if final.error else final.state
        outcome = final.state if final.state == "cancelled" else outcome
        phases = (final.result and final.result.phases) or final.phases
        self._ended.labels(final.operation, outcome, self._engine.name).inc()
        for phase, seconds in phases.model_dump().items():
            if seconds:
                self._phases.labels(final.operation, phase).observe(seconds)
        _log.info(
            "%s %s: waited %.3f s, engine %.3f s",
            final.operation,
            outcome,
            phases.queue,
            phases.engine,
        )

    def count_refused(self, code: str) -> None:
        """Count a request that was answered with an error."""
        self._refused.labels(code).inc()

    def collect(self) -> Iterator[Metric]:
        """Read what is so at this moment."""
        queue, connections, health = self._queue, self._connections, self._engine.health
        info = {"engine": self._engine.name, "engine_version": self._engine.version}
        yield InfoMetricFamily(PREFIX, "What the host runs.", info | {"mode": self._engine.mode})
        ready = queue.state == "ok" and self._engine.readiness == "ok" and not self._shortage()
        yield _gauge("ready", "1 while operations are done, else 0.", int(ready))
        yield _gauge("engine_loaded", "1 while the engine may hold memory.", int(health.loaded))
        yield _gauge("slots", "Operations that run at one time.", queue.slots)
        yield _gauge("operations_running", "Operations that the engine works on.", queue.busy)
        yield _gauge("operations_waiting", "Operations that have not begun.", queue.queued)
        yield _gauge("connections", "Open connections.", len(connections))
        yield _gauge("connections_limit", "Connections that may be open.", connections.most)
        closed = CounterMetricFamily(
            f"{PREFIX}_connections_closed", "Connections that the host closed.", labels=["reason"]
        )
        for reason, count in dict(connections.closed).items():
            closed.add_metric([reason], count)
        yield closed
        yield CounterMetricFamily(
            f"{PREFIX}_engine_restarts", "Engine processes replaced.", health.restarts
        )
        memory = GaugeMetricFamily(f"{PREFIX}_memory_bytes", "Resident memory.", labels=["process"])
        memory.add_metric(["host"], psutil.Process().memory_info().rss)
        if health.memory_bytes:
            memory.add_metric(["engine"], health.memory_bytes)
        yield memory
        if health.execution is not None:
            yield from _execution(health.execution)


def _execution(execution: Execution) -> Iterator[Metric]:
    told = {"asked": ",".join(execution.asked), "used": ",".join(execution.used)}
    told["device"] = execution.device or ""
    yield InfoMetricFamily(f"{PREFIX}_execution", "What the engine's sessions compute on.", told)
    if execution.memory is not None and "cpu" not in execution.used[:1]:
        used, size = execution.memory.used_bytes, execution.memory.total_bytes
        yield _gauge("gpu_memory_used_bytes", "GPU memory that all programs use.", used)
        yield _gauge("gpu_memory_size_bytes", "Memory of the GPU.", size)


def _gauge(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"{PREFIX}_{name}", text, value)


def metrics_routes(metrics: HostMetrics) -> APIRouter:
    """Build the route; it is no part of the contract with callers of operations."""
    router = APIRouter(include_in_schema=False)

    @router.get("/metrics")
    def read() -> Response:
        return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)

    return router


class CountRefusals:
    """ASGI middleware that counts the error answers of all others by their code."""

    def __init__(self, app: ASGIApp, metrics: HostMetrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and look at the answer."""
        refused = False

        async def counting(message: Message) -> None:
            nonlocal refused
            if message["type"] == "http.response.start":
                refused = message["status"] >= _BAD_REQUEST
            elif refused and message["type"] == "http.response.body":
                refused = False
                self._metrics.count_refused(_code_in(message.get("body", b"")))
            await send(message)

        await self._app(scope, receive, counting)


def _code_in(body: bytes) -> str:
    """Read the code of an error answer, which this host made itself; HEAD has no body."""
    try:
        return str(json.loads(body)["error"]["code"])
    except (ValueError, KeyError, TypeError):
        return "other"
