"""What came of a case, however it was run, and what of that is not as the case expects.

expect:
  heard:                      # party → the prompts in order; {part: …} for one that was broken off
    "+15550001111": [Welcome., {part: For an agent press 1.}]
  heard_too:                  # party → sounds that must be among what it heard (voices of other people)
  ended: {"+15550001111": NORMAL_CLEARING}
  keys: {"+15550003333": "12"}     # what a callee's telephone was sent
  asked:                      # requests for documents, in order; `null`: without this parameter, `*`: with any value
    - {path: /, CallStatus: ringing}
  told:                       # callbacks, in any order: requests to paths that no `asked` names
  calls: [{status: completed, reason: normal-clearing}]
  events: [call.initiated, …] # of the account, in the order of delivery
  recordings: [{channels: 2, seconds: [2, 4]}]
  notes: [13520]              # error numbers in the timelines; none where not expected
  takeovers: 1                # how often another call server went on with a call; 0 where not expected
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

import pytest

from controlplane.emulator.hearing import RINGBACK, SILENCE, Heard
from controlplane.emulator.parties import PartyLog
from controlplane.emulator.phones.recognition import KnownSound
from tests.acceptance.application import Asked
from tests.acceptance.cases import Case
from tests.acceptance.sounds import CaseSounds

AUDIO = re.compile(r"\.(wav|mp3|ogg)\Z")  # files to play are fetched without a signature
_UNNAMED = (SILENCE, RINGBACK, "tone:", "leg:", "music:")
_WHOLE = 0.96
_SHORTEST_PART_MS = 60


@dataclass(frozen=True, slots=True)
class EndedCall:
    """A call as its journal tells it."""

    id: str
    direction: str
    from_number: str
    to_number: str
    status: str
    reason: str
    notes: tuple[int, ...]
    timeline: tuple[str, ...]
    takeovers: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """Everything. `events` and `recordings` are None where the way of running has none."""

    case: Case
    logs: Sequence[PartyLog]
    asked: Sequence[Asked]
    calls: Sequence[EndedCall]
    sounds: CaseSounds
    keys: Mapping[str, str] | None = None
    events: Sequence[str] | None = None
    recordings: Sequence[Mapping[str, Any]] | None = None
    more: list[str] = field(default_factory=list)


def problems_of(outcome: Outcome) -> list[str]:
    """What is not as expected, one line each, and then all that happened, for whoever has to find out why."""
    problems = [*_problems(outcome)]
    return [*problems, "", *_story(outcome)] if problems else []


def must_be_as_expected(outcome: Outcome) -> None:
    """Fail, with all that is not and the story of the case, where something is not."""
    problems = problems_of(outcome)
    if problems:
        pytest.fail("\n".join(problems), pytrace=False)


def _problems(outcome: Outcome) -> Iterator[str]:
    expect = outcome.case.expect
    yield from outcome.more
    yield from (f"{log.party}: {problem}" for log in outcome.logs for problem in log.problems)
    yield from (
        f"{one.method} {one.path} has no valid signature" for one in outcome.asked if _is_unsigned(outcome, one)
    )
    logs = {log.party: log for log in outcome.logs}
    for party, wanted in expect.get("heard", {}).items():
        yield from _differs(f"{party} heard", _heard(outcome, logs.get(party)), [_wanted_sound(one) for one in wanted])
    for party, wanted in expect.get("heard_too", {}).items():
        heard = [name for name, _ in _heard(outcome, logs.get(party))]
        yield from (f"{party} did not hear {one!r}, but {heard}" for one in wanted if one not in heard)
    for party, cause in expect.get("ended", {}).items():
        yield from _differs(f"{party} ended", party in logs and logs[party].cause, cause)
    if outcome.keys is not None:
        for party, keys in expect.get("keys", {}).items():
            yield from _differs(f"{party} was sent keys", outcome.keys.get(party, ""), keys)
    yield from _asked_problems(outcome)
    calls = [
        {
            "status": call.status,
            "reason": call.reason,
            "to": call.to_number,
            "from": call.from_number,
            "direction": call.direction,
        }
        for call in outcome.calls
    ]
    yield from _all_fit("calls", calls, expect.get("calls", []))
    notes = [code for call in outcome.calls for code in call.notes]
    yield from _differs("notes", notes, expect.get("notes", []))
    yield from _differs("takeovers", sum(call.takeovers for call in outcome.calls), expect.get("takeovers", 0))
    if outcome.events is not None and "events" in expect:
        events = [kind for kind in outcome.events if not kind.startswith("recording.")]  # those come when they come
        yield from _differs("events", events, expect["events"])
    if outcome.recordings is not None and "recordings" in expect:
        yield from _all_fit("recordings", outcome.recordings, [_audible(one, outcome) for one in expect["recordings"]])


def _audible(recording: Mapping[str, Any], outcome: Outcome) -> Mapping[str, Any]:
    """What can be expected of a recording: those of the emulator are silent."""
    return {name: value for name, value in recording.items() if name != "heard" or outcome.keys is not None}


def _asked_problems(outcome: Outcome) -> Iterator[str]:
    expect = outcome.case.expect
    documents = {one["path"] for one in expect.get("asked", [])}
    asked = [_facts(one) for one in outcome.asked if one.path in documents]
    told = [_facts(one) for one in outcome.asked if one.path not in documents and not AUDIO.search(one.path)]
    if "asked" in expect:
        yield from _all_fit("asked", asked, expect["asked"])
    if outcome.events is not None:
        yield from _all_fit_somehow("told", told, expect.get("told", []))


def _is_unsigned(outcome: Outcome, asked: Asked) -> bool:
    return not asked.is_signed and not AUDIO.search(asked.path)


def _facts(asked: Asked) -> dict[str, Any]:
    return {"path": asked.path, "method": asked.method, **asked.parameters}


def _wanted_sound(wanted: str | Mapping[str, str]) -> tuple[str, bool]:
    return (wanted, True) if isinstance(wanted, str) else (wanted["part"], False)


def _heard(outcome: Outcome, log: PartyLog | None) -> list[tuple[str, bool]]:
    """The names of sounds and whether each was heard to its end."""
    heard: list[tuple[str, bool]] = []
    for one in log.heard if log is not None else ():
        if one.what.startswith(_UNNAMED) or one.to_ms - one.from_ms < _SHORTEST_PART_MS:
            continue
        known = next((sound for sound in outcome.sounds.known if sound.name == one.what), None)
        heard.append((one.what, known is None or _is_whole(one, known)))
    return heard


def _is_whole(one: Heard, known: KnownSound) -> bool:
    """What is silent at the end of a sound cannot be heard by a telephone."""
    return one.to_ms - one.from_ms >= _WHOLE * known.last * 1000 // 8000


def _all_fit(what: str, found: Sequence[Mapping[str, Any]], wanted: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if len(found) != len(wanted):
        yield f"{what}: {len(found)}, not {len(wanted)}: {found}"
        return
    for number, (one, other) in enumerate(zip(found, wanted, strict=True)):
        yield from (
            f"{what}[{number}].{name}: {one.get(name)!r}, not {other[name]!r}"
            for name in other
            if not _fits(one.get(name), other[name])
        )


def _all_fit_somehow(what: str, found: list[dict[str, Any]], wanted: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    left = list(found)
    for other in wanted:
        fitting = next((one for one in left if all(_fits(one.get(name), value) for name, value in other.items())), None)
        if fitting is None:
            yield f"{what}: nothing like {other} in {left}"
        else:
            left.remove(fitting)
    if left:
        yield f"{what}: {left} was not expected"


def _fits(found: Any, wanted: Any) -> bool:
    """Say whether a value is the one wanted; [a, b] is a range of numbers, text may have `*`."""
    if isinstance(wanted, list) and isinstance(wanted[0], list):
        return bool(found == wanted)
    if isinstance(wanted, list):
        return found is not None and wanted[0] <= float(found) <= wanted[1]
    if isinstance(wanted, str) and ("*" in wanted or "?" in wanted):
        return found is not None and fnmatchcase(str(found), wanted)
    return found == wanted if wanted is None or found is None else str(found) == str(wanted)


def _differs(what: str, found: object, wanted: object) -> Iterator[str]:
    if found != wanted:
        yield f"{what}: {found}, not {wanted}"


def _story(outcome: Outcome) -> Iterator[str]:
    for log in outcome.logs:
        yield f"{log.party}: {', '.join(log.words())}"
        yield f"    heard {_heard(outcome, log)}"
    for one in outcome.asked:
        digits = {name: value for name, value in one.parameters.items() if name not in _BORING}
        yield f"asked {one.method} {one.path} {digits}"
    for call in outcome.calls:
        yield f"{call.id} {call.direction} {call.from_number} -> {call.to_number}: {call.status} ({call.reason})"
        yield from (f"    {line}" for line in call.timeline)
    if outcome.events is not None:
        yield f"events {list(outcome.events)}"
    if outcome.recordings is not None:
        yield f"recordings {list(outcome.recordings)}"


_BORING = frozenset({"AccountSid", "ApiVersion", "CallSid", "Called", "Caller", "From", "To", "Direction"})
