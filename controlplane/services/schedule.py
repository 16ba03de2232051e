"""When a delivery that failed is tried again. Pure. The schedule of Standard Webhooks: 10 tries in 75 h 35 min."""

from __future__ import annotations

from dataclasses import dataclass

_DELAYS_S = (5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)
_GONE = 410  # the receiver wants no more of this
_LONGEST_WAIT_S = 86_400


@dataclass(frozen=True, slots=True)
class Attempt:
    """How an attempt went: the HTTP status, or None and the error. `retry_after_s` is what the receiver asked for."""

    status: int | None
    error: str | None
    duration_ms: int
    retry_after_s: int | None = None


@dataclass(frozen=True, slots=True)
class Next:
    """What comes of it: `state` is delivered, dead or pending, the last to be tried again after `delay_s`."""

    state: str
    delay_s: int = 0


def next_of(attempt: Attempt, failures: int) -> Next:
    """Say what comes of an attempt that was preceded by so many failures. Only 2xx is a success, a redirect none."""
    if attempt.status is not None and 200 <= attempt.status < 300:
        return Next("delivered")
    if attempt.status == _GONE or failures >= len(_DELAYS_S):
        return Next("dead")
    wanted = min(max(attempt.retry_after_s or 0, 0), _LONGEST_WAIT_S)
    return Next("pending", max(_DELAYS_S[failures], wanted))
