"""Whether callers got all that they were to get: what is skipped costs nothing, and flatters who skips it."""

from __future__ import annotations

import statistics

from bench.callers import Load

PACKET_MS = 20
# Where SIPp sees a 200 late, because the machine does other things, a call looks shorter than it was: so half of the
# calls must have lasted as long as they should, and nearly all at least half as long.
MOST_SHORT, SHORT = 0.01, 0.5


def why_not_served(load: Load, *, file_ms: float, documents: int | None = None) -> str | None:
    """Why this was less work than answering each call and playing it the file; None if it was not.

    Calls that failed are counted elsewhere. The file takes its length, less a packet: the first goes out at once.
    `documents` is how many the application was asked for, where there is one.
    """
    served = load.calls - load.failed
    if documents is not None and not served <= documents <= load.calls:
        return f"{load.calls} calls, {load.failed} of them failed, asked for {documents} documents"
    if not load.lasted_ms:
        return "nobody knows how long a call lasted"
    usual_ms = statistics.median(load.lasted_ms)
    if usual_ms < file_ms - PACKET_MS:
        return f"calls lasted {usual_ms:g} ms and were to hear a file of {file_ms:g} ms"
    short = served - sum(lasted_ms >= file_ms * SHORT for lasted_ms in load.lasted_ms)
    if short > load.calls * MOST_SHORT:
        return f"{short} of {load.calls} calls ended before half a file of {file_ms:g} ms was played"
    return None
