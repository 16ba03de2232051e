"""What a media node can be asked or told at once: `api` commands, and `bgapi originate`.

The answer is the body of an api/response: `+OK…` or `-ERR …` except where a docstring says otherwise. `originate` is
answered with `+OK Job-UUID: …` and later by a BACKGROUND_JOB event with `+OK <uuid>` or `-ERR <cause>` as its body.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum

from controlplane.base.causes import Cause
from controlplane.esl.apps import LONGEST_S, dtmf, sendable
from controlplane.esl.commands import Command, line
from controlplane.esl.dialstring import DialledLeg, DialString
from controlplane.esl.sounds import Sound, sound_path
from controlplane.esl.values import channel_id, number, token
from controlplane.esl.variables import Setting, joined, variable_name


class Hearer(StrEnum):
    """Who hears a broadcast: the leg, the leg joined with it, or both."""

    LEG = "aleg"
    OTHER = "bleg"
    BOTH = "both"


def sched_del(leg: str) -> Command:
    """Cancel what is scheduled for a leg: the claim of a parked call."""
    return _api("sched_del", channel_id(leg))


def sched_hangup(leg: str, after_s: int, cause: Cause) -> Command:
    """End a leg `after_s` seconds from now, unless `sched_del` comes first."""
    return _api("sched_hangup", f"+{number(after_s, least=1, most=LONGEST_S)} {channel_id(leg)} {sendable(cause)}")


def uuid_setvar_multi(leg: str, settings: Iterable[Setting]) -> Command:
    """Set up to 60 variables of a leg, whatever runs there; an empty value unsets."""
    return _api("uuid_setvar_multi", f"{channel_id(leg)} {joined(settings, 60)}")


def global_setvar(setting: Setting) -> Command:
    """Set a variable of the node, which holds for every leg that has none of that name."""
    return _api("global_setvar", str(setting))


def global_getvar(variable: str) -> Command:
    """Ask for a variable of the node: the answer is its bare value, empty where there is none."""
    return _api("global_getvar", variable_name(variable))


def uuid_getvar(leg: str, variable: str) -> Command:
    """Ask for a variable: the answer is its bare value, `_undef_` where it has none."""
    return _api("uuid_getvar", f"{channel_id(leg)} {variable_name(variable)}")


def uuid_exists(leg: str) -> Command:
    """Ask whether there is such a leg: the answer is `true` or `false`."""
    return _api("uuid_exists", channel_id(leg))


def uuid_dump(leg: str) -> Command:
    """Ask for everything known of a leg: the answer is the JSON of an event."""
    return _api("uuid_dump", f"{channel_id(leg)} json")


def uuid_kill(leg: str, cause: Cause) -> Command:
    """End a leg now."""
    return _api("uuid_kill", f"{channel_id(leg)} {sendable(cause)}")


def uuid_break(leg: str) -> Command:
    """Stop what plays or collects on a leg, and forget what is queued there."""
    return _api("uuid_break", f"{channel_id(leg)} all")


def uuid_ring_ready(leg: str) -> Command:
    """Say 180 to the caller, whatever runs there."""
    return _api("uuid_ring_ready", channel_id(leg))


def uuid_repark(leg: str) -> Command:
    """Leave whatever runs on a leg, a conversation or a collecting of digits too, and park it again.

    What is queued there must go first (`uuid_break`): it would run on. A recording must be broken, not left this way:
    FreeSWITCH ends the call of a channel that is moved while it records (mod_dptools.c:3283, seen on 1.10.12).
    """
    return _api("uuid_transfer", f"{channel_id(leg)} park inline")


def uuid_bridge(leg: str, other: str) -> Command:
    """Join two legs that exist: `+OK <other>`."""
    return _api("uuid_bridge", f"{channel_id(leg)} {channel_id(other)}")


def uuid_answer(leg: str) -> Command:
    """Answer a leg, whatever runs there. A failure says `-ERROR`."""
    return _api("uuid_answer", channel_id(leg))


def uuid_send_dtmf(leg: str, keys_to_send: str, duration_ms: int = 100) -> Command:
    """Send keys to the party of a leg, `duration_ms` (50 to 2000) each."""
    return _api("uuid_send_dtmf", f"{channel_id(leg)} {dtmf(keys_to_send, duration_ms)}")


def mute(leg: str) -> Command:
    """Let nobody hear the party of a leg."""
    return _api("uuid_audio", f"{channel_id(leg)} start read mute 1")


def unmute(leg: str) -> Command:
    """Take `mute` back."""
    return _api("uuid_audio", f"{channel_id(leg)} stop")


def play_over(leg: str, sounds: Sequence[Sound]) -> Command:
    """Play sounds to a leg once, mixed with whatever it hears; a leg that hears nothing hears nothing of them."""
    return _api("uuid_displace", f"{channel_id(leg)} start {sound_path(sounds)} 0 mux")


def stop_playing_over(leg: str, sounds: Sequence[Sound]) -> Command:
    """Stop what `play_over` began with the same sounds."""
    return _api("uuid_displace", f"{channel_id(leg)} stop {sound_path(sounds)}")


def uuid_broadcast(leg: str, sounds: Sequence[Sound], hearer: Hearer = Hearer.LEG) -> Command:
    """Play sounds to a leg, its partner or both in place of what they hear; begins up to 200 ms later."""
    return _api("uuid_broadcast", f"{channel_id(leg)} {sound_path(sounds)} {Hearer(hearer).value}")


def show_channels() -> Command:
    """Ask for all channels of the node: `{"row_count": n, "rows": [...]}`, without `rows` where there are none."""
    return _api("show", "channels as json")


def core_uuid() -> Command:
    """Ask which run of FreeSWITCH this is: a UUID that changes when it restarts."""
    return global_getvar("core_uuid")


def recover_legs(profile: str) -> Command:
    """Bring up, by that SIP profile, every leg of the node's core database that another run of FreeSWITCH left there.

    Answers `Recovered <n> session(s)` or `No sessions to recover.` when the re-INVITEs are on their way.
    """
    return _api("sofia", f"profile {token(profile)} recover")


def hang_up_all(cause: Cause) -> Command:
    """End every leg of the node."""
    return _api("hupall", sendable(cause))


def refuse_new_legs() -> Command:
    """Have the node refuse new legs (SIP 503) until it is restarted or told otherwise."""
    return _api("fsctl", "pause")


def status() -> Command:
    """Ask how the node is: several lines for people."""
    return _api("status", "")


def ping() -> Command:
    """Ask something cheap, to know that the node is there: the answer is its uptime in seconds."""
    return _api("uptime", "")


def originate(leg: DialledLeg, settings: Iterable[Setting], job: str) -> Command:
    """Call one party and park it when it answers; `job` names the BACKGROUND_JOB that tells how it went.

    Give it `Variable.ORIGINATION_UUID`: a second live leg of one UUID is refused, which makes a repeat harmless.
    """
    dial = DialString((leg,), settings=tuple(settings))
    return line("bgapi", f"originate {dial} &park()", [("Job-UUID", token(job))])


def _api(name: str, argument: str) -> Command:
    return line("api", f"{name} {argument}" if argument else name)
