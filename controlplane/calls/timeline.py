"""What happened in a call, for people: its journal replayed and told line by line."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from controlplane.base.ids import LegId, Token
from controlplane.calls.commands import (
    Burst,
    CallBack,
    Command,
    End,
    FetchDocument,
    Finish,
    Interrupt,
    Join,
    KeepRecording,
    Mute,
    Note,
    Originate,
    PlayOver,
    Publish,
    SendDigitsNow,
)
from controlplane.calls.events import (
    BurstDone,
    BurstLooked,
    CallOffered,
    CallPlaced,
    DigitsAsked,
    DocumentArrived,
    DocumentFailed,
    Entry,
    Event,
    HangUpAsked,
    LegAnswered,
    LegEnded,
    LegRinging,
    LegsJoined,
    LegsParted,
    Moved,
    MuteAsked,
    OriginateFailed,
    PlayAsked,
    PromptFailed,
    Redirected,
    Resumed,
)
from controlplane.calls.facts import Direction, Facts
from controlplane.calls.machine import CallMachine
from controlplane.calls.runs import (
    AnswerLeg,
    Bridge,
    Collect,
    HangUpLeg,
    PlayPrompts,
    RecordVoice,
    RingBack,
    Run,
    SendKeys,
    StartRecording,
    StopRecording,
    Wait,
)
from controlplane.verbs.documents import Number, Pause, Play, Prompt, Say, Target


@dataclass(frozen=True, slots=True)
class Moment:
    """One line: when (milliseconds since the epoch), who acted, what kind of thing it was, and what to read.

    `text` may quote a document or a caller: what could end the line, hide in it or move a terminal's cursor is a blank.
    """

    at_ms: int
    seq: int
    actor: str  # caller, callee, third party, application, platform, api
    kind: str
    text: str
    level: str = "info"

    def __post_init__(self) -> None:
        if not self.text.isprintable():
            shown = "".join(letter if letter.isprintable() else " " for letter in self.text)
            object.__setattr__(self, "text", shown)


def tell(entries: Iterable[Entry]) -> list[Moment]:
    """The timeline of a journal."""
    machine = CallMachine()
    bursts: dict[Token, Burst] = {}
    moments: list[Moment] = []
    for entry in entries:
        moments += _told(machine, bursts, entry)
    return moments


def _told(machine: CallMachine, bursts: dict[Token, Burst], entry: Entry) -> Iterator[Moment]:
    commands = machine.handle(entry)
    bursts.update((command.token, command) for command in commands if isinstance(command, Burst))
    a_leg = machine.facts.a_leg
    line = _EVENTS.get(type(entry.event))
    if isinstance(entry.event, BurstDone):
        text = _outcome(entry.event, bursts.get(entry.event.token))
        actor = _party(entry.event.leg, a_leg)
        yield Moment(entry.at_ms, entry.seq, _name(actor, machine.facts), "burst-done", text)
    elif line is not None:
        actor, text = line(entry.event, a_leg)
        yield Moment(entry.at_ms, entry.seq, _name(actor, machine.facts), _slug(type(entry.event).__name__), text)
    for command in commands:
        yield from _of_command(entry, command)


def _of_command(entry: Entry, command: Command) -> Iterator[Moment]:
    kind = _slug(type(command).__name__)
    if isinstance(command, Note):
        where = f" ({command.where})" if command.where else ""
        yield Moment(entry.at_ms, entry.seq, "platform", "note", f"{command.code} {command.text}{where}", command.level)
        return
    line = _COMMANDS.get(type(command))
    if line is not None:
        yield Moment(entry.at_ms, entry.seq, "platform", kind, line(command))


def _slug(name: str) -> str:
    return "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("-")


def _name(actor: str, facts: Facts) -> str:
    """Who acted: whoever came in called, whoever was dialled is called."""
    if actor == "a-leg":
        return "caller" if facts.direction is Direction.INBOUND else "callee"
    if actor == "b-leg":
        return "callee" if facts.direction is Direction.INBOUND else "third party"
    return actor


def _party(leg: LegId, a_leg: LegId) -> str:
    return "a-leg" if leg == a_leg else "b-leg"


_EVENTS: dict[type, Callable[[Any, LegId], tuple[str, str]]] = {
    CallOffered: lambda e, _: ("caller", f"{e.facts.from_number} calls {e.facts.to_number}"),
    CallPlaced: lambda e, _: ("api", f"a call from {e.facts.from_number} to {e.facts.to_number} is placed"),
    LegRinging: lambda e, a: (_party(e.leg, a), "rings"),
    LegAnswered: lambda e, a: (_party(e.leg, a), "is connected" if e.leg == a else "answers"),
    LegEnded: lambda e, a: (_party(e.leg, a), f"is gone: {e.cause}{f' (SIP {e.sip_status})' if e.sip_status else ''}"),
    OriginateFailed: lambda e, a: (_party(e.leg, a), f"could not be dialled: {e.cause}"),
    LegsJoined: lambda _e, _a: ("platform", "the two can hear each other"),
    LegsParted: lambda _e, _a: ("platform", "the two are parted"),
    DocumentArrived: lambda e, _: ("application", f"answers with {len(e.body)} bytes of {e.content_type or 'nothing'}"),
    DocumentFailed: lambda e, _: ("application", f"gives no document: {e.problem}"),
    Redirected: lambda _e, _a: ("api", "gives the call another document"),
    HangUpAsked: lambda e, _: ("api", "asks to hang up" + (f" ({e.reason})" if e.reason else "")),
    MuteAsked: lambda e, _: ("api", "asks to mute a leg" if e.is_on else "asks to unmute a leg"),
    DigitsAsked: lambda e, _: ("api", f"asks to send keys {e.digits}"),
    PlayAsked: lambda e, _: ("api", f"asks to play {e.url}"),
    PromptFailed: lambda e, _: ("platform", f"could not play {e.what}: {e.problem}"),
    BurstLooked: lambda e, a: (_party(e.leg, a), "has come to the end of what was sent to it"),
    Resumed: lambda e, _: ("platform", f"{e.server} drives the call from here on"),
    Moved: lambda e, _: ("platform", f"the media node died, and {e.node} goes on with the call"),
}


def _outcome(event: BurstDone, burst: Burst | None) -> str:
    """What came of a burst, by the last thing in it that has a result: an outcome may hold older ones, too."""
    outcome = event.outcome
    for run in reversed(burst.runs if burst is not None else ()):
        match run:
            case Collect():
                pressed = f"{outcome.digits}{outcome.terminator}"
                return f"pressed {pressed}" if pressed else "pressed nothing"
            case RecordVoice():
                return f"was recorded for {(outcome.record_ms or 0) / 1000:.1f} s"
            case Bridge():
                return f"is through with the callee: {outcome.dial_result or 'nobody was reached'}"
            case _:
                continue
    return "has heard it all"


_COMMANDS: dict[type, Callable[[Any], str]] = {
    FetchDocument: lambda c: f"asks {c.link.method} {c.link.url}",
    Burst: lambda c: "; ".join(_run(run) for run in c.runs),
    Originate: lambda c: f"dials {_address(c.target)}",
    End: lambda c: f"ends a leg: {c.cause.value}",
    Interrupt: lambda _: "breaks off what runs",
    Join: lambda _: "joins the two",
    Mute: lambda c: "mutes a leg" if c.is_on else "lets a leg be heard again",
    SendDigitsNow: lambda c: f"sends keys {c.digits}",
    PlayOver: lambda c: f"plays {c.url} over it",
    Publish: lambda c: f"event {c.kind}",
    CallBack: lambda c: f"tells {c.link.method} {c.link.url}",
    KeepRecording: lambda c: f"keeps recording {c.recording}",
    Finish: lambda c: f"the call is over: {c.verdict.result.value} ({c.verdict.reason})",
}

_RUNS: dict[type, Callable[[Any], str]] = {
    AnswerLeg: lambda _: "answer",
    Wait: lambda r: f"let it ring {r.duration_ms} ms",
    PlayPrompts: lambda r: _prompts(r.prompts),
    SendKeys: lambda r: f"send keys {r.digits}",
    Collect: lambda r: f"collect up to {r.max_digits} keys" + (f" while: {_prompts(r.prompts)}" if r.prompts else ""),
    RecordVoice: lambda r: f"record up to {r.max_length_s} s",
    StartRecording: lambda _: "start recording",
    StopRecording: lambda _: "stop recording",
    Bridge: lambda r: "dial " + ", ".join(_address(branch.target) for branch in r.branches),
    RingBack: lambda _: "ring back",
    HangUpLeg: lambda _: "hang up",
}


def _run(run: Run) -> str:
    return _RUNS[type(run)](run)


def _prompts(prompts: tuple[Prompt, ...]) -> str:
    return ", ".join(_prompt(prompt) for prompt in prompts)


def _prompt(prompt: Prompt) -> str:
    match prompt:
        case Say(text):
            return f'say "{text}"'
        case Play(url):
            return f"play {url}"
        case Pause(length_s):
            return f"pause {length_s} s"


def _address(target: Target) -> str:
    return target.number if isinstance(target, Number) else target.uri


__all__ = ["Event", "Moment", "tell"]
