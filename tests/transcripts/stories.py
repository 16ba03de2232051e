"""What a conversation tells of each call, in a form that two of them can be held against each other."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field

from controlplane.esl.connection import ClientConnection
from controlplane.esl.frames import EslEvent
from tests.transcripts.recorded import DATA

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
# Events of what is not emulated, as the call server neither reads nor causes it: the far end's display, and hold.
NOT_EMULATED = ("CALL_UPDATE", "CHANNEL_HOLD", "CHANNEL_UNHOLD")

_CHOSEN = re.compile(rf"origination_uuid=({_UUID.pattern})")
_FIRST = ("CHANNEL_DATA", "CHANNEL_PARK")  # what an application hears of a call that came in


@dataclass(frozen=True, slots=True)
class Told:
    """What is compared of one event. `leg` is A, B, C… in order of appearance, or "" for none."""

    leg: str
    name: str
    state: str
    facts: tuple[str, ...]
    direction: str = ""
    at_ms: int = field(default=0, compare=False)


@dataclass(slots=True)
class Recorded:
    """One line of a transcript."""

    at_s: float
    wire: str
    command: str = ""
    event: EslEvent | None = None
    is_closed: bool = False


@dataclass(slots=True)
class Legs:
    """Names for the channels that are ours: the calls that came in, and the legs dialled for them."""

    names: dict[str, str] = field(default_factory=dict)

    def learn(self, event: EslEvent, wanted: set[str]) -> None:
        """Take note of a channel that an event is about."""
        uuid = event.get("Unique-ID")
        is_ours = uuid in wanted or event.variable("originator") in self.names
        if uuid and uuid not in self.names and is_ours:
            self.names[uuid] = "ABCDEFGH"[len(self.names)]


def recorded(name: str) -> list[Recorded]:
    """A transcript, line by line."""
    lines = []
    for line in (DATA / f"{name}.jsonl").read_text().splitlines():
        record = json.loads(line)
        one = Recorded(record["t"], record["wire"], is_closed=record["dir"] == "closed")
        if record["dir"] == "app>fs":
            one.command = record["raw"].strip("\n")
        elif record["dir"] == "fs>app":
            [frame] = ClientConnection().feed(record["raw"].encode("utf-8", "surrogateescape"))
            is_event = frame.content_type == "text/event-plain" or record["raw"].startswith("Event-Name: CHANNEL_DATA")
            one.event = frame.event() if is_event else None
        lines.append(one)
    return lines


def wanted_legs(lines: list[Recorded]) -> set[str]:
    """The UUIDs of calls that came in, and those that the application chose for legs it dialled."""
    wanted = {match[1] for one in lines for match in _CHOSEN.finditer(one.command)}
    for one in lines:
        if one.event is not None and one.event.get("Call-Direction") == "inbound" and one.event.name in _FIRST:
            wanted.add(one.event.get("Unique-ID") or "")
    return wanted


def told(event: EslEvent, legs: Legs) -> Told | None:
    """What is compared of an event; None for channels that are not ours."""
    leg = legs.names.get(event.get("Unique-ID") or "", "")
    if (not leg and event.name != "BACKGROUND_JOB") or event.name in NOT_EMULATED:
        return None
    app, data = event.get("Application") or "", event.get("Application-Data") or ""
    if app == "socket":
        app, data = "park", ""
    token = event.get("Application-UUID") or ""
    facts = [
        app,
        re.sub(r"/\S*/(\w+\.wav)", r"\1", data),
        event.get("Application-Response") or "",
        "" if _UUID.fullmatch(token) else token,
        event.get("Hangup-Cause") or "",
        event.get("DTMF-Digit") or "",
        event.get("Playback-Status") or "",
        event.get("Job-UUID") or "" if not _UUID.fullmatch(event.get("Job-UUID") or "") else "",
        _UUID.sub("<uuid>", event.body.strip()),
    ]
    states = (event.get("Channel-State"), event.get("Channel-Call-State"), event.get("Answer-State"))
    return Told(
        leg,
        event.name,
        " ".join(state for state in states if state),
        tuple(fact for fact in facts if fact),
        event.get("Call-Direction") or "",
        int(event.get("Event-Date-Timestamp") or 0) // 1000,
    )


def compared(events: list[EslEvent], wanted: set[str], *, is_socket: bool) -> dict[str, list[Told]]:
    """What is held against each other, channel by channel.

    Left out, because the two differ there by how they were made: what came before the call was parked (another
    dialplan); on a call's own socket what came after CHANNEL_HANGUP_COMPLETE (FreeSWITCH keeps the channel as long as
    the socket); jobs of the recording itself.
    """
    legs, stories = Legs(), dict[str, list[Told]]()
    for event in events:
        legs.learn(event, wanted)
        one = told(event, legs)
        if one is not None:
            stories.setdefault(one.leg, []).append(one)
    return {leg: _cut(story, is_socket=is_socket) for leg, story in stories.items()}


def _cut(story: list[Told], *, is_socket: bool) -> list[Told]:
    names = [one.name for one in story]
    if story[0].leg == "":
        return [one for one in story if any(fact.startswith("job-") for fact in one.facts)]
    if "CHANNEL_PARK" in names[:9] and story[0].direction == "inbound":
        story = story[names.index("CHANNEL_PARK") + 1 :]
    if is_socket:
        names = [one.name for one in story]
        story = story[: names.index("CHANNEL_HANGUP_COMPLETE") + 1] if "CHANNEL_HANGUP_COMPLETE" in names else story
    return story
