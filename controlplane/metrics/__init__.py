"""Prometheus metrics and JSON logs of every process."""
