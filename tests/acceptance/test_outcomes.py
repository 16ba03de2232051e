"""What counts as heard: a sound once for each time it was played, however long that took."""

from __future__ import annotations

import numpy as np
import pytest

from controlplane.emulator.hearing import Heard
from controlplane.emulator.parties import PartyLog
from controlplane.emulator.phones.recognition import KnownSound
from controlplane.emulator.scenarios import Scenario
from tests.acceptance.cases import Case
from tests.acceptance.outcomes import Outcome, problems_of
from tests.acceptance.sounds import CaseSounds

WAIT = KnownSound("Wait.", np.full(8000, 1000, np.int16))  # one second


def problems_of_hearing(*heard: Heard, wanted: list[object]) -> list[str]:
    case = Case("a case", "", Scenario(), {}, {"heard": {"caller": wanted}})
    log = PartyLog("caller", heard=list(heard))
    return problems_of(Outcome(case, [log], [], [], CaseSounds([WAIT])))


@pytest.mark.parametrize("lasted_ms", [1000, 1600, 3100])
def test_a_sound_of_a_node_that_stood_still_meanwhile_was_played_once(lasted_ms: int) -> None:
    assert problems_of_hearing(Heard(0, lasted_ms, "Wait."), wanted=["Wait."]) == []


def test_a_sound_that_was_played_again_was_heard_twice() -> None:
    problem, *_ = problems_of_hearing(Heard(0, 1000, "Wait."), Heard(1000, 2000, "Wait."), wanted=["Wait."])

    assert problem == "caller heard: [('Wait.', True), ('Wait.', True)], not [('Wait.', True)]"


def test_a_sound_that_was_broken_off_is_a_part() -> None:
    assert problems_of_hearing(Heard(0, 500, "Wait."), wanted=[{"part": "Wait."}]) == []
