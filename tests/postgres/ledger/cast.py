"""Who is in the run that never was, and when it was: numbers of people, seconds of the epoch."""

from __future__ import annotations

from tests.postgres.sample import NOW_MS

NEVER = "+15550000008"  # was to call when there was no node to call
BEGAN_S = NOW_MS / 1000
DID, SHOWN = "+15551110001", "+15551110002"
TALKS, BUSY, REFUSED, LOST = (f"+1555000000{place}" for place in (1, 2, 3, 4))
RUNG, PLACED = "+15559000001", "+15559000002"
HOOK = "http://app/events"
DIED_S = BEGAN_S + 30
CALLED_BACK = ("initiated", "ringing", "answered", "completed")
