"""The machine's commands in FreeSWITCH's words. Everything goes through the typed builder of `esl`.

Each part of a burst sets `callplane_sent` to the burst's token and how many runs are left, so that whoever takes the
call over can tell how much of it reached the channel; the last unsets what an earlier burst left behind, so that an
outcome is never read twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from controlplane.base.causes import Cause
from controlplane.base.ids import CallId, LegId, Token
from controlplane.calls.commands import Burst, Originate
from controlplane.calls.runs import (
    AnswerLeg,
    Branch,
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
from controlplane.esl import apis, apps
from controlplane.esl.apps import App, execute, hang_up
from controlplane.esl.commands import Command
from controlplane.esl.dialstring import DialString, Order, bridge
from controlplane.esl.errors import UnsafeValue
from controlplane.esl.sip_uri import Hop
from controlplane.esl.sounds import MOST_SOUNDS, Beep, Silence, ringing
from controlplane.esl.sounds import RingBack as RingingSound
from controlplane.esl.values import NodeFile
from controlplane.esl.variables import Setting, Variable, mark
from controlplane.switch.dialling import KEY_MS, Dialler, at_least_s, duration_of_keys_ms
from controlplane.switch.prompts import Placed, Sounds, in_portions, sounds_of
from controlplane.switch.terms import OWN_HEADERS
from controlplane.switch.translation import LOOK
from controlplane.verbs.documents import Track

STEP = "step"  # the token of every command of a burst but the last: what tells of their ends is kept back (node.py)
SILENCE_LEVEL = 200  # of 32,767: below this a recording counts as silent


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes for one media node: the profile calls leave by, where numbers go, where recordings lie.

    `gateway` None: numbers cannot be dialled. `recordings` is the folder as the node sees it. `allow_private` lets SIP
    addresses on loopback and private networks be dialled.
    """

    profile: str
    gateway: Hop | None
    recordings: str
    allow_private: bool = False

    @property
    def _dialler(self) -> Dialler:
        return Dialler(self.profile, self.gateway, self.allow_private)

    # The life of a leg

    def claim(self, leg: LegId, time_limit_s: int) -> list[Command]:
        """Make a parked leg ours: no watchdog but the longest it may last."""
        return [
            apis.sched_del(leg),
            apis.sched_hangup(leg, at_least_s(time_limit_s), Cause.ALLOTTED_TIMEOUT),
        ]

    def ring(self, leg: LegId) -> Command:
        """180 to the caller."""
        return apis.uuid_ring_ready(leg)

    def end(self, leg: LegId, cause: Cause) -> Command:
        """End a leg now."""
        return apis.uuid_kill(leg, cause)

    def interrupt(self, leg: LegId, *, is_parked_after: bool) -> list[Command]:
        """Leave what runs, and what is queued, with or without going back to park."""
        if not is_parked_after:
            return [apis.uuid_break(leg)]
        parks_no_more = apis.uuid_setvar_multi(leg, (_parks_after_bridge(""),))
        return [parks_no_more, apis.uuid_break(leg), apis.uuid_repark(leg)]

    def join(self, leg: LegId, other: LegId) -> list[Command]:
        """Join two parked legs; the first is parked when they part, and must then be interrupted.

        Without `park_after_bridge` FreeSWITCH would hang it up; a `bridge`, on the contrary, must never see that set:
        it would leave the channel in a state that takes commands and runs none (seen on 1.10.12). Without
        `uuid_bridge_park_on_cancel` it would hang it up where the other leaves in the 40 ms that joining takes.
        """
        return [self.stay(leg), apis.uuid_bridge(leg, other)]

    def stay(self, leg: LegId) -> Command:
        """Have a leg parked when it is parted from the one it is joined with; it must then be interrupted."""
        parks = (_parks_after_bridge("true"), Setting(Variable.PARK_ON_CANCEL, "true"))
        return apis.uuid_setvar_multi(leg, parks)

    def ask_sent(self, leg: LegId) -> Command:
        """Ask how much of which burst reached a leg last."""
        return apis.uuid_getvar(leg, "callplane_sent")

    def ask_joined(self, leg: LegId) -> Command:
        """Ask for the UUID of the leg that this one was joined with last."""
        return apis.uuid_getvar(leg, "bridge_uuid")

    def mute(self, leg: LegId, *, is_on: bool) -> Command:
        """Whether the leg's party is heard."""
        return apis.mute(leg) if is_on else apis.unmute(leg)

    def keys_now(self, leg: LegId, digits: str, duration_ms: int) -> Command:
        """Send keys, whatever runs there."""
        return apis.uuid_send_dtmf(leg, digits, duration_ms)

    def play_over(self, leg: LegId, sound: Placed, loop: int) -> tuple[Command, Command]:
        """Play a file over what the leg hears; and what stops that again."""
        sounds = [NodeFile(sound.path)] * min(loop, MOST_SOUNDS)
        return apis.play_over(leg, sounds), apis.stop_playing_over(leg, sounds)

    def look(self, leg: LegId, token: Token) -> Command:
        """Queue something that says, when its turn comes, what became of the leg's bursts."""
        return execute(leg, apps.multiset((mark("look", "1"),)), f"{LOOK}{token}")

    # Bursts

    def burst(self, burst: Burst, runs: tuple[Run, ...], sounds: Sounds, *, left: int) -> list[Command]:
        """Some or all runs of a burst, in order; `left` more are to come. The last command of all carries its token."""
        sent = mark("sent", f"{burst.token}-{left}" if left else burst.token)
        settings = (*_undialled(runs), *(() if left else _settings(burst)))
        return [
            apis.uuid_setvar_multi(burst.leg, (sent, *settings)),
            *self._queued(burst, runs, sounds, STEP if left else burst.token),
        ]

    def _queued(self, burst: Burst, runs: tuple[Run, ...], sounds: Sounds, token: str) -> Iterator[Command]:
        """What the leg is to run. A burst that ends with its leg is over when the leg is: nothing else says so."""
        queued = [app for run in runs for app in self._apps(run, sounds)]
        match runs:
            case (*_, HangUpLeg(cause)):
                yield from (execute(burst.leg, app, STEP) for app in queued)
                yield hang_up(burst.leg, cause)
            case _:
                queued = queued or [apps.multiset((mark("look", "1"),))]
                yield from (execute(burst.leg, app, STEP) for app in queued[:-1])
                yield execute(burst.leg, queued[-1], token)

    def takes(self, leg: LegId, run: Run, sounds: Sounds) -> bool:
        """Say whether all values of a run can be given to a node."""
        try:
            for app in self._apps(run, sounds):
                execute(leg, app)
        except UnsafeValue:
            return False
        return True

    def _apps(self, run: Run, sounds: Sounds) -> Iterator[App]:
        match run:
            case AnswerLeg():
                yield apps.answer()
            case Wait(duration_ms):
                yield apps.sleep(duration_ms)
            case PlayPrompts(prompts):
                yield from (apps.playback(some) for some in in_portions(sounds_of(prompts, sounds)))
            case SendKeys(digits):
                yield apps.send_dtmf(digits, KEY_MS)
                yield apps.playback([Silence(duration_of_keys_ms(digits))])
            case Collect():
                yield _read(run, sounds)
            case RecordVoice():
                if run.plays_beep:
                    yield apps.playback([Beep()])
                file = self._recording(run.recording)
                yield apps.record(file, limit_s=run.max_length_s, silence_level=SILENCE_LEVEL, silence_s=run.silence_s)
            case StartRecording():
                yield from self._start_recording(run)
            case StopRecording(recording):
                yield apps.stop_record_session(self._recording(recording))
            case RingBack(ring_tone):
                yield apps.playback([RingingSound(ringing(ring_tone))])
            case Bridge():
                yield from self._bridge(run)
            case HangUpLeg():
                return  # no application: FreeSWITCH would tell twice of it

    def _recording(self, recording: str) -> NodeFile:
        return NodeFile(f"{self.recordings}/{recording}.wav")

    def _start_recording(self, run: StartRecording, *, waits_for_bridge: bool = False) -> Iterator[App]:
        yield apps.multiset(
            (
                Setting(Variable.RECORD_BRIDGE_REQ, _flag(waits_for_bridge)),
                Setting(Variable.RECORD_STEREO, _flag(run.channels == 2)),
                Setting(Variable.RECORD_READ_ONLY, _flag(run.track is Track.INBOUND)),
                Setting(Variable.RECORD_WRITE_ONLY, _flag(run.track is Track.OUTBOUND)),
            )
        )
        yield apps.record_session(self._recording(run.recording))

    # Dialling

    def originate(self, command: Originate, call: CallId) -> Command:
        """Dial one leg and park it when it answers."""
        leg = self._dialler.leg(
            Branch(command.leg, command.target), command.caller_id, command.caller_name, command.time_limit_s
        )
        settings = (
            Setting(Variable.ORIGINATE_TIMEOUT_S, str(command.ring_timeout_s)),
            Setting(Variable.IGNORE_EARLY_MEDIA, "true"),
            _NO_REDIRECTS,
            mark("call", call),
        )
        return apis.originate(leg, settings, command.token)

    def _bridge(self, run: Bridge) -> Iterator[App]:
        tone = ringing(run.ring_tone).value
        yield apps.multiset(
            (
                Setting(Variable.RINGBACK, tone),
                Setting(Variable.TRANSFER_RINGBACK, tone),
                Setting(Variable.BRIDGE_TERMINATE_KEY, "*" if run.hangs_up_on_star else ""),
            )
        )
        if run.recording is not None:
            yield from self._start_recording(run.recording, waits_for_bridge=True)
        legs = tuple(
            self._dialler.leg(branch, run.caller_id, run.caller_name, run.time_limit_s, timeout_s=run.timeout_s)
            for branch in run.branches
        )
        # Early media would count as an answer, and end the ringing of the others (seen on 1.10.12).
        settings: tuple[Setting, ...] = (
            Setting(Variable.IGNORE_EARLY_MEDIA, "true"),
            OWN_HEADERS,
            _NO_REDIRECTS,
        )
        if not run.is_sequential:
            settings += (Setting(Variable.ORIGINATE_TIMEOUT_S, str(run.timeout_s)),)
        yield bridge(DialString(legs, Order.IN_TURN if run.is_sequential else Order.AT_ONCE, settings))


def _parks_after_bridge(value: str) -> Setting:
    return Setting(Variable.PARK_AFTER_BRIDGE, value)


# FreeSWITCH follows a 302 to whatever address it names, past all that was checked of the first; and where that is the
# node's own, it transfers the caller's leg to the door, whose watchdog ends it (sofia.c:6955).
_NO_REDIRECTS = Setting(Variable.REDIRECT_IS_FATAL, "true")


def _undialled(runs: tuple[Run, ...]) -> Iterator[Setting]:
    """Forget what the last dialling came to: a leg that is through and knows of none was never told to dial."""
    if any(isinstance(run, Bridge) for run in runs):
        yield Setting(Variable.ORIGINATE_DISPOSITION, "")


def _settings(burst: Burst) -> list[Setting]:
    """Set the keys that end a recording where one is made, and forget the last outcome where this one will be read."""
    keys = next((run.finish_keys for run in burst.runs if isinstance(run, RecordVoice)), "")
    settings = [Setting(Variable.PLAYBACK_TERMINATORS, keys)]
    if burst.runs and isinstance(burst.runs[-1], HangUpLeg):
        return settings
    return [*settings, Setting(apps.DIGITS_VARIABLE, ""), Setting(Variable.READ_TERMINATOR_USED, "")]


def _read(run: Collect, sounds: Sounds) -> App:
    timeout_ms = run.timeout_s * 1000
    return apps.read(
        sounds_of(run.prompts, sounds)[:MOST_SOUNDS] or [Silence(1)],
        most_digits=run.max_digits,
        finish_keys=run.finish_key,
        timeout_ms=timeout_ms,
        digit_timeout_ms=timeout_ms,
    )


def _flag(is_on: object) -> str:
    return "true" if is_on else "false"
