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
    found = await tx.all(_call, _CALLS, **_asked(list(dict.fromkeys(places))))
    legs = await _legs(tx, [_place(call) for call, has_legs, _ in found if has_legs])
    recordings = await _recordings(tx, [_place(call) for call, _, has_recordings in found if has_recordings])
    whole = {
        _place(call): WholeCall(call, (a_leg_of(call), *legs.get(call.call_id, ())), recordings.get(call.call_id, {}))
        for call, *_ in found
    }
    return [whole.get(place) or NotFound() for place in places]


async def _legs(tx: Transaction, places: Sequence[Place]) -> dict[CallId, list[Leg]]:
    legs: defaultdict[CallId, list[Leg]] = defaultdict(list)
    for call_id, leg in await tx.all(_leg, _LEGS, **_asked(places)) if places else ():
        legs[call_id].append(leg)
    return legs


async def _recordings(tx: Transaction, places: Sequence[Place]) -> dict[CallId, dict[LegId, list[str]]]:
    recordings: defaultdict[CallId, dict[LegId, list[str]]] = defaultdict(dict)
    for row in await tx.all(_Recorded, _RECORDINGS, **_asked(places)) if places else ():
        recordings[row.call_id].setdefault(row.leg, []).append(row.recording_id)
    return recordings


def _asked(places: Sequence[Place]) -> dict[str, object]:
    return {"account_ids": [account for account, _ in places], "call_ids": [call for _, call in places]}


def _place(call: Call) -> Place:
    return call.account_id, call.call_id


def _call(*, has_legs: bool, has_recordings: bool, **columns: Any) -> tuple[Call, bool, bool]:
    return Call(**columns), has_legs, has_recordings


@dataclass(frozen=True, slots=True)
class _Recorded:
    call_id: CallId
    leg: LegId
    recording_id: str


def _leg(call_id: CallId, **columns: Any) -> tuple[CallId, Leg]:
    return call_id, Leg(**columns)
