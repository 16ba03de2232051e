"""Calls with their legs and recordings, many at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from controlplane.base.errors import NotFound
from controlplane.base.ids import AccountId, CallId, LegId
from controlplane.services.calls import Call, Leg, a_leg_of
from controlplane.store.database import Transaction
from controlplane.store.queries import query

_CALLS, _LEGS, _RECORDINGS = query("whole_calls"), query("legs_of_calls"), query("recordings_of_calls")

Place: TypeAlias = tuple[AccountId, CallId]


@dataclass(frozen=True, slots=True)
class WholeCall:
    """A call, its legs with the A-leg first, and the ids of each leg's recordings, oldest first."""

    call: Call
    legs: tuple[Leg, ...]
    recordings: dict[LegId, list[str]]


async def get_whole_calls(tx: Transaction, places: Sequence[Place]) -> list[WholeCall | NotFound]:
    """The calls at these places, in their order; raises InvalidId if one is none."""
    asked = {"account_ids": [account for account, _ in places], "call_ids": [call for _, call in places]}
    calls = {(call.account_id, call.call_id): call for call in await tx.all(Call, _CALLS, **asked)}
    legs: defaultdict[CallId, list[Leg]] = defaultdict(list)
    for call_id, leg in await tx.all(_leg, _LEGS, **asked):
        legs[call_id].append(leg)
    recordings: defaultdict[CallId, defaultdict[LegId, list[str]]] = defaultdict(lambda: defaultdict(list))
    for row in await tx.all(_Recorded, _RECORDINGS, **asked):
        recordings[row.call_id][row.leg].append(row.recording_id)
    found: dict[Place, WholeCall] = {
        place: WholeCall(call, (a_leg_of(call), *legs[call.call_id]), dict(recordings[call.call_id]))
        for place, call in calls.items()
    }
    return [found.get(place) or NotFound() for place in places]


@dataclass(frozen=True, slots=True)
class _Recorded:
    call_id: CallId
    leg: LegId
    recording_id: str


def _leg(call_id: CallId, **columns: Any) -> tuple[CallId, Leg]:
    return call_id, Leg(**columns)
