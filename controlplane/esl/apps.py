"""What a leg can be told to run: dialplan applications with checked arguments, each a command of its own.

`execute` sends one to a leg, where FreeSWITCH queues it behind what runs there (`event-lock`). The argument travels in
a counted body. The token comes back as Application-UUID in CHANNEL_EXECUTE and CHANNEL_EXECUTE_COMPLETE; the body and
the token work together (seen on 1.10.12). An application that FreeSWITCH does not know hangs the leg up, so the names
are a fixed list.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from controlplane.base.causes import Cause
from controlplane.esl.commands import Command, with_body
from controlplane.esl.commands import line as one_line
from controlplane.esl.errors import UnsafeValue
from controlplane.esl.sounds import Sound, sound_path
from controlplane.esl.values import NodeFile, channel_id, digits, keys, number, token
from controlplane.esl.variables import Setting, joined

LONGEST_S = 86_400
DIGITS_VARIABLE = "callplane_digits"


class AppName(StrEnum):
    """The applications that are used."""

    ANSWER = "answer"
    BRIDGE = "bridge"
    MULTISET = "multiset"
    PARK = "park"
    PLAYBACK = "playback"
    PRE_ANSWER = "pre_answer"
    READ = "read"
    RECORD = "record"
    RECORD_SESSION = "record_session"
    RING_READY = "ring_ready"
    SCHED_HANGUP = "sched_hangup"
    SEND_DTMF = "send_dtmf"
    SLEEP = "sleep"
    STOP_RECORD_SESSION = "stop_record_session"


@dataclass(frozen=True, slots=True)
class App:
    """An application and its argument; made by the functions below, so that the argument is checked."""

    name: AppName
    argument: str = field(default="", repr=False)  # may hold numbers and passwords

    def __str__(self) -> str:
        return f"{self.name.value} {self.argument}" if self.argument else self.name.value


def execute(leg: str, app: App, event_token: str | None = None) -> Command:
    """Run an application on a leg when all that was sent to it before is through.

    Answered at once with `+OK`, or `-ERR invalid session id […]` where there is no such leg.
    """
    headers = [("call-command", "execute"), ("execute-app-name", AppName(app.name).value), ("event-lock", "true")]
    if event_token is not None:
        headers.append(("Event-UUID", token(event_token)))
    first, name = f"sendmsg {channel_id(leg)}", f"execute {app.name.value}"
    if app.argument:
        return with_body(first, headers, app.argument, name=name)
    return Command(name, one_line(first, "", headers).data)


def hang_up(leg: str, cause: Cause) -> Command:
    """End a leg when all that was sent to it before is through; no application, so that nothing tells of its end."""
    headers = [("call-command", "hangup"), ("hangup-cause", sendable(cause)), ("event-lock", "true")]
    return Command("hang up", one_line(f"sendmsg {channel_id(leg)}", "", headers).data)


def answer() -> App:
    """Answer (200)."""
    return App(AppName.ANSWER)


def pre_answer() -> App:
    """Begin early media (183)."""
    return App(AppName.PRE_ANSWER)


def ring_ready() -> App:
    """Say that it rings (180)."""
    return App(AppName.RING_READY)


def park() -> App:
    """Hold the leg with nothing running."""
    return App(AppName.PARK)


def playback(sounds: Sequence[Sound]) -> App:
    """Play sounds one after another. A key of the variable `playback_terminators` ends it (default `*`)."""
    return App(AppName.PLAYBACK, sound_path(sounds))


def sleep(duration_ms: int) -> App:
    """Let time pass, up to an hour, without answering."""
    return App(AppName.SLEEP, number(duration_ms, least=1, most=3_600_000))


def send_dtmf(keys_to_send: str, duration_ms: int = 100) -> App:
    """Send keys to the party, `duration_ms` (50 to 2000) each."""
    return App(AppName.SEND_DTMF, dtmf(keys_to_send, duration_ms))


def read(sounds: Sequence[Sound], *, most_digits: int, finish_keys: str, timeout_ms: int, digit_timeout_ms: int) -> App:
    """Play sounds and collect 1 to `most_digits` (127) keys into the variable `callplane_digits`.

    A key stops the sounds. It ends with the last key, with a finish key (then in `read_terminator_used`),
    `digit_timeout_ms` after a key, or `timeout_ms` after the sounds; FreeSWITCH makes at least a second of that.
    `finish_keys` "" is none. Where nothing was pressed `callplane_digits` is unset, but `read_terminator_used` keeps
    what an earlier application left there: unset it first (seen on 1.10.12).
    """
    times = (number(ms, least=1, most=3_600_000) for ms in (timeout_ms, digit_timeout_ms))
    timeout, digit_timeout = times
    most = number(most_digits, least=1, most=127)
    terminators = keys(finish_keys) or "none"
    path = sound_path(sounds)
    return App(AppName.READ, f"1 {most} {path} {DIGITS_VARIABLE} {timeout} {terminators} {digit_timeout}")


def record(file: NodeFile, *, limit_s: int, silence_level: int = 200, silence_s: int = 0) -> App:
    """Record the party's voice for up to `limit_s`, until `silence_s` seconds below `silence_level` (0: never).

    A key of the variable `playback_terminators` ends it too. FreeSWITCH hangs the leg up if the file cannot be made.
    """
    limit = number(limit_s, least=1, most=LONGEST_S)
    if silence_s == 0:
        return App(AppName.RECORD, f"{file.path} {limit}")
    level, hits = number(silence_level, least=1, most=32_767), number(silence_s, least=1, most=LONGEST_S)
    return App(AppName.RECORD, f"{file.path} {limit} {level} {hits}")


def record_session(file: NodeFile, *, limit_s: int = LONGEST_S) -> App:
    """Begin to record both directions of the leg while other things run on it; completes at once."""
    return App(AppName.RECORD_SESSION, f"{file.path} +{number(limit_s, least=1, most=LONGEST_S)}")


def stop_record_session(file: NodeFile) -> App:
    """End a recording that `record_session` or the API began."""
    return App(AppName.STOP_RECORD_SESSION, file.path)


def multiset(settings: Iterable[Setting]) -> App:
    """Set variables, up to 200; an empty value unsets."""
    return App(AppName.MULTISET, joined(settings, 200))


def sched_hangup(after_s: int, cause: Cause) -> App:
    """End the leg `after_s` seconds from now, unless `sched_del` comes first."""
    return App(AppName.SCHED_HANGUP, f"+{number(after_s, least=1, most=LONGEST_S)} {sendable(cause)}")


def dtmf(keys_to_send: str, duration_ms: int) -> str:
    """Keys and their length as FreeSWITCH takes them."""
    return f"{digits(keys_to_send)}@{number(duration_ms, least=50, most=2000)}"


def sendable(cause: Cause) -> str:
    """A cause by FreeSWITCH's name; LOST is ours and means nothing there."""
    if Cause(cause) is Cause.LOST:
        raise UnsafeValue("Not a cause that FreeSWITCH knows.")
    return cause.value
