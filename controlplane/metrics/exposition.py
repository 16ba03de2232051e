"""The Prometheus endpoint of a process: `GET /metrics` on a port of its own.

It has a thread of its own, so that it still answers when the event loop is stuck: that is when someone looks.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import start_http_server

from controlplane.base.errors import Unavailable
from controlplane.metrics.registry import Metrics


class MetricsPortTaken(Unavailable):
    """The metrics port cannot be used; set CALLPLANE_METRICS_PORT to a free one, or to 0 for none."""

    slug = "metrics-port-taken"


@contextmanager
def serving_metrics(metrics: Metrics, port: int, *, address: str = "127.0.0.1") -> Iterator[int]:
    """Serve until the block is left; answers the port, chosen by the kernel if it is 0. Raises MetricsPortTaken."""
    try:
        server, thread = start_http_server(port, addr=address, registry=metrics.registry)
    except OSError as error:
        raise MetricsPortTaken(None, port=port) from error
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
