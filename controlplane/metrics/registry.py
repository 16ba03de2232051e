"""Every metric of every process, by name. Base units; labels from fixed sets, never a tenant, a number or a UUID.

A process makes one `Metrics` and tells it what happens. What can be read instead of counted (live calls, queues, pools)
is read when Prometheus asks: `watch_…` takes a function, called in the exposition's thread, which may only read.
A metric that a process never touches shows its zero or nothing at all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal, TypeAlias

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.gc_collector import GCCollector
from prometheus_client.process_collector import ProcessCollector

from controlplane.base.causes import Verdict

LinkKind: TypeAlias = Literal["event", "command"]
Reading: TypeAlias = Callable[[], float]

# A verb starts within a frame or two of 20 ms; a hook may take its 15 s and more with retries.
_VERB_S = (0.001, 0.0025, 0.005, 0.01, 0.02, 0.04, 0.08, 0.15, 0.3, 0.6, 1.2, 2.5, 5)
_HOOK_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 30)
_LAG_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5)
_REQUEST_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """The metrics of one process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        self._calls_finished = self._counter(
            "calls_finished", "Calls that ended, by direction and verdict.", "direction", "result", "reason"
        )
        self._request_s = self._histogram(
            "http_request_duration_seconds", "Requests to the API.", _REQUEST_S, "method", "route", "status"
        )
        self._timed_requests: dict[tuple[str, str, int], Histogram] = {}  # found faster than by `labels`
        self._calls_active = self._gauge("calls_active", "Calls that this process drives.")
        self._hook_s = self._histogram("hook_duration_seconds", "Requests to applications.", _HOOK_S, "outcome")
        self._verb_s = self._histogram(
            "verb_latency_seconds", "From when a verb could begin to when the media node ran it.", _VERB_S, "verb"
        )
        self._links_up = self._gauge("esl_links_up", "Event-socket links that are up.", "node", "kind")
        self._esl_events = self._counter("esl_events", "Events received from media nodes.", "node")
        self._calls_refused = self._counter("calls_refused", "Calls refused as the process was overloaded.", "node")
        self._takes_calls = self._gauge("takes_calls", "1 while new calls of a node are taken, else 0.", "node")
        self._load = self._gauge("load_ratio", "Share of its bound that a measure of load has.", "node", "measure")
        self._loop_lag_s = self._histogram("loop_lag_seconds", "How late the event loop runs.", _LAG_S)
        self._tasks = self._gauge("tasks", "Tasks of the event loop that are not over.")
        self._outbox_age_s = self._gauge("outbox_age_seconds", "Age of the oldest delivery that is due; 0: none is.")
        self._deliveries = self._counter("deliveries", "Attempts to deliver events to applications.", "outcome")
        self._spool_entries = self._gauge("spool_entries", "Journal entries that wait on the disk for the database.")
        self._spool_bytes = self._gauge("spool_bytes", "Bytes of journal entries that wait on the disk.")
        self._spool_records = self._counter(
            "spool_records", "Journal entries by what became of them: spooled, replayed, set-aside, refused.", "outcome"
        )
        self._pool = self._gauge("database_connections", "Connections of the database pool.", "state")
        self._pool_waiting = self._gauge("database_waiting", "Whoever waits for a connection of the pool.")

    def call_finished(self, direction: str, verdict: Verdict) -> None:
        """Count a call that ended; `direction` is inbound or outbound."""
        self._calls_finished.labels(direction, verdict.result.value, verdict.reason).inc()

    def request_answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """Time one request to the API; `route` is a path with its places in braces, "" where there is none."""
        key = method, route, status
        timed = self._timed_requests.get(key)
        if timed is None:
            timed = self._timed_requests[key] = self._request_s.labels(method, route, str(status))
        timed.observe(seconds)

    def hook_answered(self, outcome: str, seconds: float) -> None:
        """Time one request to an application, retries included; `outcome` is ok or the kind of its failure."""
        self._hook_s.labels(outcome).observe(seconds)

    def verb_started(self, verb: str, seconds: float) -> None:
        """Time how long a verb took to begin."""
        self._verb_s.labels(verb).observe(seconds)

    def link_up(self, node: str, kind: LinkKind) -> None:
        """Count a link as up."""
        self._links_up.labels(node, kind).inc()

    def link_down(self, node: str, kind: LinkKind) -> None:
        """Count a link as down."""
        self._links_up.labels(node, kind).dec()

    def esl_events_received(self, node: str, count: int) -> None:
        """Count events of a node."""
        self._esl_events.labels(node).inc(count)

    def call_refused(self, node: str) -> None:
        """Count a call that another is to take."""
        self._calls_refused.labels(node).inc()

    def load_measured(self, node: str, shares: Mapping[str, float], *, is_open: bool) -> None:
        """Show what share of its bound each measure has (callserver/admission.py), and whether calls are taken."""
        self._takes_calls.labels(node).set(is_open)
        for measure, share in shares.items():
            self._load.labels(node, measure).set(share)

    def loop_was_late(self, seconds: float) -> None:
        """Note how late the event loop was (see `measure_loop_lag`)."""
        self._loop_lag_s.observe(seconds)

    def delivery_attempted(self, outcome: str) -> None:
        """Count an attempt; `outcome` is what the delivery is now (delivered, pending, dead), or late."""
        self._deliveries.labels(outcome).inc()

    def watch_active_calls(self, reading: Reading) -> None:
        """Read the number of calls that this process drives."""
        self._calls_active.set_function(reading)

    def watch_tasks(self, reading: Reading) -> None:
        """Read the number of tasks that the event loop has: one that only grows is a leak."""
        self._tasks.set_function(reading)

    def watch_outbox_age_s(self, reading: Reading) -> None:
        """Read the age of the oldest delivery that is due."""
        self._outbox_age_s.set_function(reading)

    def watch_database_pool(self, *, in_use: Reading, idle: Reading, waiting: Reading) -> None:
        """Read the state of the database pool."""
        self._pool.labels("in_use").set_function(in_use)
        self._pool.labels("idle").set_function(idle)
        self._pool_waiting.set_function(waiting)

    def spool_counted(self, outcome: str, entries: int) -> None:
        """Count entries that went to the disk, came from there, were set aside, or found the disk full."""
        self._spool_records.labels(outcome).inc(entries)

    def watch_spool(self, *, entries: Reading, size_bytes: Reading) -> None:
        """Read how much waits on the disk."""
        self._spool_entries.set_function(entries)
        self._spool_bytes.set_function(size_bytes)

    def _counter(self, name: str, meaning: str, *labels: str) -> Counter:
        return Counter(f"controlplane_{name}", meaning, labels, registry=self.registry)

    def _gauge(self, name: str, meaning: str, *labels: str) -> Gauge:
        return Gauge(f"controlplane_{name}", meaning, labels, registry=self.registry)

    def _histogram(self, name: str, meaning: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
        return Histogram(f"controlplane_{name}", meaning, labels, buckets=buckets, registry=self.registry)
