"""What a leg can be told to run, on a real FreeSWITCH: it does what its docstring says."""

from __future__ import annotations

from pathlib import Path

import pytest

from controlplane.esl import apis, apps
from controlplane.esl.apps import App, execute
from controlplane.esl.commands import line
from controlplane.esl.sounds import Beep, RingBack, Silence, Sound, ringing
from controlplane.esl.values import NodeFile
from controlplane.esl.variables import Setting, Variable, mark
from tests.acceptance.media_node import new_uuid
from tests.acceptance.parked_call import Call, loudest

pytestmark = pytest.mark.freeswitch


def test_sounds_play_one_after_another_under_our_token(call: Call) -> None:
    sound = NodeFile(call.node.sound("half", 0.5))
    call.run(apps.answer())
    sounds: list[Sound] = [sound, Silence(200), Beep(), sound]
    done = call.run(apps.playback(sounds))
    assert done.get("Application-Response") == "FILE PLAYED"
    assert done.get("Application-Data") == apps.playback(sounds).argument


def test_128_sounds_are_one_prompt(call: Call) -> None:
    call.run(apps.answer())
    path = NodeFile(str(Path(call.node.folder, "a" * 60, "b" * 60 + ".wav")))
    Path(path.path).parent.mkdir(exist_ok=True)
    Path(path.path).write_bytes(Path(call.node.sound("short", 0.1)).read_bytes()[: 44 + 160])
    done = call.run(apps.playback((*[path] * 127, Silence(20))))
    assert done.get("Application-Response") == "FILE PLAYED"


def test_a_ringing_tone_plays_until_it_is_broken_off(call: Call) -> None:
    call.run(apps.pre_answer())
    token = call.start(apps.playback([RingBack(ringing("uk"))]))
    pause = call.link.send(execute(call.leg, apps.sleep(60_000), "never"))
    assert (pause, call.link.send(apis.uuid_break(call.leg))) == ("+OK", "+OK\n")
    call.done(token)
    probe = call.run(apps.multiset([mark("probe", "after")]))
    assert (probe.variable("callplane_probe"), probe.get("Application")) == ("after", "multiset")


def test_variables_are_set_and_unset_by_both_ways(call: Call) -> None:
    tone = ringing("us").value
    settings = [
        Setting(Variable.RINGBACK, tone),
        mark("call", "cs_1"),
        Setting(Variable.EFFECTIVE_CALLER_NAME, "A (b)"),
    ]
    done = call.run(apps.multiset(settings))
    assert [done.variable(setting.name) for setting in settings] == [tone, "cs_1", "A (b)"]
    answer = call.link.send(apis.uuid_setvar_multi(call.leg, [mark("call", "cs_2"), Setting(Variable.RINGBACK, "")]))
    asked = [call.link.send(apis.uuid_getvar(call.leg, name)) for name in ("callplane_call", "ringback")]
    assert (answer, asked) == ("+OK\n", ["cs_2", "_undef_"])


def test_digits_are_collected_until_the_finish_key(call: Call) -> None:
    call.run(apps.answer())
    sounds = (NodeFile(call.node.sound("half", 0.5)), Silence(20_000))
    token = call.start(apps.read(sounds, most_digits=9, finish_keys="#", timeout_ms=3000, digit_timeout_ms=3000))
    call.link.send(apis.uuid_send_dtmf(call.caller, "12#"))
    done = call.done(token)
    assert [done.variable(name) for name in ("callplane_digits", "read_terminator_used")] == ["12", "#"]


def test_digits_without_finish_key_are_collected_up_to_the_last(call: Call) -> None:
    call.run(apps.answer())
    token = call.start(apps.read([Silence(20)], most_digits=3, finish_keys="", timeout_ms=5000, digit_timeout_ms=5000))
    call.link.send(apis.uuid_send_dtmf(call.caller, "1#*"))
    assert call.done(token).variable("callplane_digits") == "1#*"


def test_nothing_pressed_leaves_no_digits(call: Call) -> None:
    call.run(apps.answer())
    done = call.run(apps.read([Silence(20)], most_digits=3, finish_keys="#", timeout_ms=1000, digit_timeout_ms=1000))
    assert (done.variable("callplane_digits"), done.variable("read_result")) == (None, "failure")


def test_digits_sent_by_an_application_arrive(call: Call) -> None:
    call.run(apps.answer())
    call.start(apps.send_dtmf("4w2", 100))
    heard = [call.link.until("DTMF", Unique_ID=call.caller).get("DTMF-Digit") for _ in range(2)]
    assert heard == ["4", "2"]


def test_a_recording_ends_at_a_key(call: Call) -> None:
    call.run(apps.answer())
    call.run(apps.multiset([Setting(Variable.PLAYBACK_TERMINATORS, "12#")]))
    token = call.start(apps.record(call.file("voice"), limit_s=30, silence_s=20))
    call.link.until("RECORD_START", Unique_ID=call.leg)
    call.link.send(apis.uuid_send_dtmf(call.caller, "2"))
    done = call.done(token)
    assert done.variable("playback_terminator_used") == "2"
    assert Path(call.file("voice").path).exists()


def test_a_recording_of_silence_ends_by_itself(call: Call) -> None:
    call.run(apps.answer())
    done = call.run(apps.record(call.file("silence"), limit_s=30, silence_s=1))
    assert int(done.variable("record_ms") or 0) < 5000


@pytest.mark.parametrize("way", ["application", "api"])
def test_a_leg_is_recorded_while_it_hears_something(call: Call, way: str) -> None:
    call.run(apps.answer())
    file = call.file(way)
    if way == "api":
        assert call.link.send(line("api", f"uuid_record {call.leg} start {file.path}")) == "+OK Success\n"
    else:
        call.start(apps.record_session(file))
    call.link.until("RECORD_START", Unique_ID=call.leg)
    call.run(apps.playback([NodeFile(call.node.sound("loud", 0.9))]))
    if way == "api":
        assert call.link.send(line("api", f"uuid_record {call.leg} stop {file.path}")) == "+OK Success\n"
    else:
        call.start(apps.stop_record_session(file))
    call.link.until("RECORD_STOP", Unique_ID=call.leg)
    assert loudest(file) > 0.5


def heard_by_leg(call: Call, name: str) -> float:
    """Let the caller make a loud sound and say how loud it is in the leg's recording."""
    file = call.file(name)
    call.run(apps.record_session(file))
    token = f"t.{new_uuid()}"
    sounds = (NodeFile(call.node.sound("voice", 0.9)), Silence(200))
    call.link.send(execute(call.caller, apps.playback(sounds), token))
    call.done(token)
    call.run(apps.sleep(200))
    call.run(apps.stop_record_session(file))
    return loudest(file)


def test_a_muted_leg_is_not_heard(call: Call) -> None:
    call.run(apps.answer())
    before = heard_by_leg(call, "before")
    muted = call.link.send(apis.mute(call.leg))
    during = heard_by_leg(call, "during")
    unmuted = call.link.send(apis.unmute(call.leg))
    after = heard_by_leg(call, "after")
    assert (muted, unmuted) == ("+OK\n", "+OK\n")
    assert (before > 0.5, during > 0.1, after > 0.5) == (True, False, True)


def heard_by_caller(call: Call, name: str, app: App) -> float:
    """Run an application on the leg and say how loud the caller hears it."""
    file = call.file(name)
    assert call.link.send(line("api", f"uuid_record {call.caller} start {file.path}")) == "+OK Success\n"
    call.run(app)
    call.run(apps.sleep(300))
    assert call.link.send(line("api", f"uuid_record {call.caller} stop {file.path}")) == "+OK Success\n"
    return loudest(file)


def test_a_sound_is_played_over_what_a_leg_hears(call: Call) -> None:
    call.run(apps.answer())
    quiet = apps.playback((NodeFile(call.node.sound("quiet", 0.1)), Silence(400)))
    over = [NodeFile(call.node.sound("over", 0.5))]
    assert call.link.send(apis.play_over(call.leg, over)) == "+OK Success\n"
    assert heard_by_caller(call, "both", quiet) > 0.4
    assert heard_by_caller(call, "alone", quiet) < 0.3


def test_what_is_played_over_waits_while_a_leg_hears_nothing_and_can_be_stopped(call: Call) -> None:
    call.run(apps.answer())
    over = (NodeFile(call.node.sound("over", 0.5)), Silence(100))
    assert call.link.send(apis.play_over(call.leg, over)) == "+OK Success\n"
    assert heard_by_caller(call, "nothing", apps.sleep(500)) < 0.1
    assert call.link.send(apis.stop_playing_over(call.leg, over)) == "+OK Success\n"
    assert call.link.send(apis.stop_playing_over(call.leg, over)) == "-ERR Cannot stop displace session!\n"


def test_a_broadcast_is_heard_by_a_leg_that_hears_nothing(call: Call) -> None:
    call.run(apps.answer())
    answer = call.link.send(apis.uuid_broadcast(call.leg, [NodeFile(call.node.sound("over", 0.5))]))
    assert answer == "+OK Message sent\n"
    assert heard_by_caller(call, "broadcast", apps.sleep(1000)) > 0.3
