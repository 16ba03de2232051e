"""Metrics as Prometheus reads them: names, labels, values."""

from __future__ import annotations

import urllib.request

import pytest

from controlplane.base.causes import Result, Verdict
from controlplane.metrics import Metrics, serving_metrics
from controlplane.metrics.exposition import MetricsPortTaken


def samples(metrics: Metrics) -> dict[str, float]:
    """Every sample of ours: `name{label="value"}` → value, without the creation times."""
    found = {}
    for family in metrics.registry.collect():
        for sample in family.samples:
            if sample.name.startswith("controlplane_") and not sample.name.endswith("_created"):
                labels = ",".join(f"{name}={value}" for name, value in sorted(sample.labels.items()))
                found[f"{sample.name}{{{labels}}}" if labels else sample.name] = sample.value
    return found


def test_a_finished_call_is_counted_by_direction_and_verdict() -> None:
    metrics = Metrics()
    metrics.call_finished("inbound", Verdict(Result.BUSY, "user-busy"))
    name = "controlplane_calls_finished_total{direction=inbound,reason=user-busy,result=busy}"
    assert samples(metrics)[name] == 1


def test_what_is_watched_is_read_when_asked_for() -> None:
    metrics, calls = Metrics(), [1, 2]
    metrics.watch_active_calls(lambda: len(calls))
    metrics.watch_tasks(lambda: 12)
    metrics.watch_outbox_age_s(lambda: 1.5)
    metrics.watch_database_pool(in_use=lambda: 3, idle=lambda: 5, waiting=lambda: 1)
    calls.append(3)
    shown = samples(metrics)
    assert shown["controlplane_calls_active"] == 3
    assert shown["controlplane_tasks"] == 12
    assert shown["controlplane_outbox_age_seconds"] == 1.5
    assert shown["controlplane_database_connections{state=in_use}"] == 3
    assert shown["controlplane_database_connections{state=idle}"] == 5
    assert shown["controlplane_database_waiting"] == 1


def test_links_go_up_and_down() -> None:
    metrics = Metrics()
    metrics.link_up("m1", "event")
    metrics.link_up("m1", "command")
    metrics.link_down("m1", "event")
    shown = samples(metrics)
    assert shown["controlplane_esl_links_up{kind=event,node=m1}"] == 0
    assert shown["controlplane_esl_links_up{kind=command,node=m1}"] == 1


def test_requests_are_timed_by_route_and_status() -> None:
    metrics = Metrics()
    metrics.request_answered("GET", "/api/v1/voice/calls/{call_id}", 200, 0.002)
    labels = "method=GET,route=/api/v1/voice/calls/{call_id},status=200"
    shown = samples(metrics)
    assert shown[f"controlplane_http_request_duration_seconds_count{{{labels}}}"] == 1
    assert shown[f"controlplane_http_request_duration_seconds_sum{{{labels}}}"] == 0.002


def test_times_are_seconds_in_histograms() -> None:
    metrics = Metrics()
    metrics.hook_answered("ok", 0.03)
    metrics.verb_started("play", 0.015)
    metrics.loop_was_late(0.002)
    shown = samples(metrics)
    assert shown["controlplane_hook_duration_seconds_bucket{le=0.025,outcome=ok}"] == 0
    assert shown["controlplane_hook_duration_seconds_bucket{le=0.05,outcome=ok}"] == 1
    assert shown["controlplane_verb_latency_seconds_bucket{le=0.02,verb=play}"] == 1
    assert shown["controlplane_loop_lag_seconds_sum"] == 0.002


def test_events_and_deliveries_are_counted() -> None:
    metrics = Metrics()
    metrics.esl_events_received("m1", 34)
    metrics.delivery_attempted("delivered")
    shown = samples(metrics)
    assert shown["controlplane_esl_events_total{node=m1}"] == 34
    assert shown["controlplane_deliveries_total{outcome=delivered}"] == 1


def test_two_processes_worth_of_metrics_do_not_meet() -> None:
    one, other = Metrics(), Metrics()
    one.delivery_attempted("delivered")
    assert "controlplane_deliveries_total{outcome=delivered}" not in samples(other)


def test_the_endpoint_shows_the_metrics_as_text() -> None:
    metrics = Metrics()
    metrics.watch_active_calls(lambda: 2)
    with (
        serving_metrics(metrics, 0) as port,
        urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer,
    ):
        text = answer.read().decode()
    assert "controlplane_calls_active 2.0\n" in text
    assert "process_resident_memory_bytes" in text


def test_a_taken_port_is_told_as_such() -> None:
    with (
        serving_metrics(Metrics(), 0) as port,
        pytest.raises(MetricsPortTaken, match=str(port)),
        serving_metrics(Metrics(), port),
    ):
        pass
