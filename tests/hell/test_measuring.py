"""What is taken off a deadline that was missed: what the machine took, never what we computed."""

from __future__ import annotations

import pytest

from tests.hell.measuring import Pulse

# (came at, late by, CPU time of ours since the beat before), seconds.
SPINNING = (11.0, 1.0, 1.0)
SUSPENDED = (11.0, 1.0, 0.0)
SPINNING_ON_HALF_A_CORE = (12.0, 2.0, 1.0)
LATE_BEFORE = (10.2, 1.0, 0.0)


@pytest.mark.parametrize(
    ("beat", "taken_s"),
    [(SPINNING, 0.0), (SUSPENDED, 1.0), (SPINNING_ON_HALF_A_CORE, 1.0), (LATE_BEFORE, 0.2), ((9.9, 1.0, 0.0), 0.0)],
    ids=["spinning", "suspended", "spinning on half a core", "late in part before", "late before"],
)
def test_only_what_the_machine_took_excuses(beat: tuple[float, float, float], taken_s: float) -> None:
    pulse = Pulse([(9.0, 0.0, 0.0), beat])

    assert pulse.taken_s(since_s=10.0) == pytest.approx(taken_s)


def test_the_most_computed_between_two_beats_counts() -> None:
    pulse = Pulse([(9.0, 3.0, 3.0), (10.1, 0.0, 0.004), (10.2, 0.1, 0.1)])

    assert pulse.longest_cpu_s(since_s=10.0) == 0.1
