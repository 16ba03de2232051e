"""Prometheus metrics and JSON logs of every process."""

from controlplane.metrics.exposition import serving_metrics
from controlplane.metrics.logs import call_in_logs, configure_logging
from controlplane.metrics.loop_lag import measure_loop_lag
from controlplane.metrics.registry import Metrics

__all__ = ["Metrics", "call_in_logs", "configure_logging", "measure_loop_lag", "serving_metrics"]
