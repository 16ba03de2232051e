"""Every command that can be built, sent to a real FreeSWITCH: it does what its docstring says."""

from __future__ import annotations

import json
import wave
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from controlplane.base.causes import Cause
from controlplane.esl import apis, apps
from controlplane.esl.apps import App, execute
from controlplane.esl.commands import (
    KICK,
    EslEventName,
    leave,
    see_no_events,
    see_only_jobs,
    see_only_named,
    see_only_shards,
    see_shards_no_more,
    subscribe_exactly,
)
from controlplane.esl.dialstring import DialledLeg, DialString, Order, bridge
from controlplane.esl.frames import EslEvent
from controlplane.esl.sip_uri import Endpoint, Hop, SipUri
from controlplane.esl.sounds import Beep, RingBack, Silence, Sound, ringing
from controlplane.esl.values import NodeFile
from controlplane.esl.variables import Setting, Variable, mark
from tests.acceptance.media_node import Link, MediaNode, new_uuid, running_media_node

pytestmark = pytest.mark.freeswitch

EVENTS = [name for name in EslEventName if name != EslEventName.HEARTBEAT]


@pytest.fixture(scope="module")
def node(freeswitch_program: Path, node_folder: Path) -> Iterator[MediaNode]:
    with running_media_node(freeswitch_program, node_folder) as node:
        yield node


@dataclass(slots=True)
class Call:
    """A caller (a leg that FreeSWITCH dialled to itself) and the leg that came in of it, which is parked."""

    node: MediaNode
    link: Link
    caller: str
    leg: str

    def run(self, app: App) -> EslEvent:
        """Run an application on the leg and wait until it is through."""
        token = f"t.{new_uuid()}"
        assert self.link.send(execute(self.leg, app, token)) == "+OK"
        return self.link.until("CHANNEL_EXECUTE_COMPLETE", Application_UUID=token)

    def start(self, app: App) -> str:
        """Run an application on the leg, and answer its token when it begins."""
        token = f"t.{new_uuid()}"
        assert self.link.send(execute(self.leg, app, token)) == "+OK"
        self.link.until("CHANNEL_EXECUTE", Application_UUID=token)
        return token

    def done(self, token: str) -> EslEvent:
        return self.link.until("CHANNEL_EXECUTE_COMPLETE", Application_UUID=token)

    def file(self, name: str) -> NodeFile:
        return NodeFile(str(self.node.folder / f"{name}-{self.leg}.wav"))


@pytest.fixture
def call(node: MediaNode) -> Iterator[Call]:
    link = node.link(*EVENTS)
    caller = new_uuid()
    settings = (Setting(Variable.ORIGINATION_UUID, caller),)
    assert link.send(apis.originate(party(node, "parked", settings), (), "caller")).startswith("+OK")
    parked = link.until("CHANNEL_PARK", Caller_Destination_Number="parked", Call_Direction="inbound")
    call = Call(node, link, caller, parked.get("Unique-ID") or "")
    yield call
    link.send(apis.uuid_kill(call.leg, Cause.NORMAL_CLEARING))
    link.send(apis.uuid_kill(caller, Cause.NORMAL_CLEARING))


def party(
    node: MediaNode, name: str, settings: tuple[Setting, ...] = (), on_answer: tuple[App, ...] = ()
) -> DialledLeg:
    """Somebody who lives in the same node's dialplan."""
    endpoint = Endpoint("internal", SipUri(name, Hop("127.0.0.1", node.sip_port)))
    return DialledLeg(endpoint, settings, on_answer=on_answer)


def loudest(file: NodeFile) -> float:
    """The mean of the absolute samples, 0 to 1, in the loudest tenth of a second of a recording."""
    with wave.open(file.path) as recorded:
        data = recorded.readframes(recorded.getnframes())
    samples = [abs(int.from_bytes(data[i : i + 2], "little", signed=True)) for i in range(0, len(data), 2)]
    return max(sum(samples[i : i + 800]) / 800 / 32768 for i in range(0, len(samples), 800))


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
        assert call.link.send(apis.uuid_record_start(call.leg, file)) == "+OK Success\n"
    else:
        call.start(apps.record_session(file))
    call.link.until("RECORD_START", Unique_ID=call.leg)
    call.run(apps.playback([NodeFile(call.node.sound("loud", 0.9))]))
    if way == "api":
        assert call.link.send(apis.uuid_record_stop(call.leg, file)) == "+OK Success\n"
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
    assert call.link.send(apis.uuid_record_start(call.caller, file)) == "+OK Success\n"
    call.run(app)
    call.run(apps.sleep(300))
    assert call.link.send(apis.uuid_record_stop(call.caller, file)) == "+OK Success\n"
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


def test_a_leg_is_answered_asked_for_and_ended_at_once(call: Call) -> None:
    link, leg = call.link, call.leg
    assert link.send(apis.uuid_answer(leg)) == "+OK\n"
    assert link.send(apis.uuid_exists(leg)) == "true"
    assert json.loads(link.send(apis.uuid_dump(leg)))["Unique-ID"] == leg
    assert link.send(apis.uuid_kill(leg, Cause.USER_BUSY)) == "+OK\n"
    assert link.until("CHANNEL_HANGUP_COMPLETE", Unique_ID=leg).get("Hangup-Cause") == "USER_BUSY"
    assert link.send(apis.uuid_exists(leg)) == "false"
    assert link.send(execute(leg, apps.answer())) == f"-ERR invalid session id [{leg}]"
    assert link.send(apis.uuid_kill(leg, Cause.USER_BUSY)) == "-ERR No such channel!\n"
    assert link.send(apis.uuid_getvar(leg, "x")) == "-ERR No such channel!\n"


@pytest.mark.parametrize("way", ["application", "api"])
def test_a_leg_ends_when_its_time_is_up(call: Call, way: str) -> None:
    if way == "api":
        assert call.link.send(apis.sched_hangup(call.leg, 1, Cause.ALLOTTED_TIMEOUT)) == "+OK\n"
    else:
        call.run(apps.sched_hangup(1, Cause.ALLOTTED_TIMEOUT))
    ended = call.link.until("CHANNEL_HANGUP_COMPLETE", Unique_ID=call.leg)
    assert ended.get("Hangup-Cause") == "ALLOTTED_TIMEOUT"


def test_a_leg_whose_watchdog_was_cancelled_lives_on(call: Call) -> None:
    call.run(apps.sched_hangup(1, Cause.RECOVERY_ON_TIMER_EXPIRE))
    assert call.link.send(apis.sched_del(call.leg)) == "+OK Deleted: 1\n"
    call.run(apps.sleep(2500))
    assert call.link.send(apis.uuid_exists(call.leg)) == "true"


def test_a_hang_up_waits_for_what_runs(call: Call) -> None:
    call.run(apps.answer())
    call.link.send(execute(call.leg, apps.playback([Silence(300)]), "first"))
    call.link.send(execute(call.leg, apps.hangup(Cause.NORMAL_CLEARING), "second"))
    assert call.link.until("PLAYBACK_STOP", Unique_ID=call.leg).get("Playback-Status") == "done"
    call.link.until("CHANNEL_HANGUP_COMPLETE", Unique_ID=call.leg)


def test_a_leg_rings_has_early_media_and_is_parked(call: Call) -> None:
    call.link.send(execute(call.leg, apps.ring_ready()))
    call.link.until("CHANNEL_PROGRESS", Unique_ID=call.leg)
    call.link.send(execute(call.leg, apps.pre_answer()))
    call.link.until("CHANNEL_PROGRESS_MEDIA", Unique_ID=call.leg)
    call.start(apps.park())


BACK_TO_PARK = [
    Setting(Variable.HANGUP_AFTER_BRIDGE, "false"),
    Setting(Variable.CONTINUE_ON_FAIL, "true"),
    Setting(Variable.PARK_AFTER_BRIDGE, "true"),
]


def test_the_first_of_several_that_answers_is_joined(call: Call) -> None:
    winner, loser = new_uuid(), new_uuid()
    call.run(apps.answer())
    call.run(apps.multiset(BACK_TO_PARK))
    legs = (
        party(call.node, "rings", (Setting(Variable.ORIGINATION_UUID, loser), Setting(Variable.LEG_TIMEOUT_S, "20"))),
        party(call.node, "busy"),
        party(
            call.node,
            "answers",
            (
                Setting(Variable.ORIGINATION_UUID, winner),
                Setting(Variable.CALLER_NAME, "Café Zoë (1)"),
                mark("of", "cs_1"),
            ),
            (apps.sched_hangup(2, Cause.ALLOTTED_TIMEOUT), apps.multiset([mark("tried", "yes"), mark("b", "2")])),
        ),
    )
    dial = DialString(legs, Order.AT_ONCE, (Setting(Variable.ORIGINATE_TIMEOUT_S, "30"), mark("all", "x")))
    token = call.start(bridge(dial))
    joined = call.link.until("CHANNEL_BRIDGE", Unique_ID=call.leg)
    assert joined.get("Other-Leg-Unique-ID") == winner
    ended = call.link.until("CHANNEL_HANGUP_COMPLETE", Unique_ID=winner)
    names = ("callplane_of", "callplane_all", "callplane_tried", "callplane_b", "origination_caller_id_name")
    assert ended.get("Hangup-Cause") == "ALLOTTED_TIMEOUT"
    assert [ended.variable(name) for name in names] == ["cs_1", "x", "yes", "2", "Café Zoë (1)"]
    assert call.done(token).variable("originate_disposition") == "SUCCESS"


def test_legs_dialled_in_turn_end_with_the_last_verdict(call: Call) -> None:
    call.run(apps.multiset(BACK_TO_PARK))
    first = party(call.node, "rings", (Setting(Variable.LEG_TIMEOUT_S, "1"),))
    done = call.run(bridge(DialString((first, party(call.node, "busy")), Order.IN_TURN)))
    assert done.variable("originate_disposition") == "USER_BUSY"
    assert call.link.send(apis.uuid_exists(call.leg)) == "true"


def test_two_parked_legs_are_joined(call: Call) -> None:
    other = new_uuid()
    call.run(apps.answer())
    leg = party(call.node, "answers", (Setting(Variable.ORIGINATION_UUID, other),))
    call.link.send(apis.originate(leg, (), "other"))
    assert call.link.until("BACKGROUND_JOB", Job_UUID="other").body == f"+OK {other}\n"
    assert call.link.send(apis.uuid_bridge(call.leg, other)) == f"+OK {other}\n"
    call.link.until("CHANNEL_BRIDGE")


def test_a_call_that_fails_says_why(call: Call) -> None:
    settings = (Setting(Variable.ORIGINATE_TIMEOUT_S, "1"), Setting(Variable.IGNORE_EARLY_MEDIA, "true"))
    for name, cause in (("busy", "USER_BUSY"), ("rings", "NO_ANSWER")):
        call.link.send(apis.originate(party(call.node, name), settings, name))
        assert call.link.until("BACKGROUND_JOB", Job_UUID=name).body == f"-ERR {cause}\n"


def test_the_node_tells_what_it_has(call: Call) -> None:
    settings = [Setting(Variable.PRESENCE_DATA, "cs_9"), Setting(Variable.ACCOUNT, "acc_1")]
    call.link.send(apis.uuid_setvar_multi(call.leg, settings))
    call.run(apps.answer())
    call.run(apps.sleep(500))
    rows = json.loads(call.link.send(apis.show_channels()))["rows"]
    [row] = [row for row in rows if row["uuid"] == call.leg]
    assert (row["presence_data"], row["accountcode"]) == ("cs_9", "acc_1")
    assert call.link.send(apis.count_channels()) == f"\n{len(rows)} total.\n"
    assert len(call.link.send(apis.core_uuid())) == 36
    assert call.link.send(apis.status()).startswith("UP ")
    assert call.link.send(apis.ping()).strip().isdigit()


def test_a_filter_by_shard_lets_only_its_channels_through(node: MediaNode) -> None:
    watcher, link = node.link(EslEventName.CHANNEL_CREATE, EslEventName.BACKGROUND_JOB), node.link()
    assert watcher.send(see_only_shards([10, 11])) == "+OK filter added. [Unique-ID]=[/[ab]$/]"
    assert watcher.send(see_only_shards([3])) == "+OK filter added. [Unique-ID]=[/[3]$/]"
    assert watcher.send(see_shards_no_more([10, 11])) == "+OK filter deleted. [Unique-ID][/[ab]$/]"
    assert watcher.send(see_only_jobs("cs_1.")) == "+OK filter added. [Job-UUID]=[/^cs_1[.]/]"
    for last in "a3":
        leg = party(node, "busy", (Setting(Variable.ORIGINATION_UUID, new_uuid()[:-1] + last),))
        link.send(apis.originate(leg, (), f"cs_1x.{last}"))
    leg = party(node, "busy", (Setting(Variable.ORIGINATION_UUID, new_uuid()[:-1] + "b"),))
    link.send(apis.originate(leg, (), "cs_1.0.1"))
    created = watcher.until("CHANNEL_CREATE")
    assert (created.get("Unique-ID") or "")[-1] == "3"
    job = watcher.until("BACKGROUND_JOB")
    assert job.get("Job-UUID") == "cs_1.0.1"


def test_a_link_changes_what_it_hears_and_leaves(node: MediaNode) -> None:
    link = node.link()
    assert link.send(subscribe_exactly([EslEventName.HEARTBEAT])) == "+OK event listener enabled json"
    assert link.send(see_only_named(EslEventName.HEARTBEAT)) == "+OK filter added. [Event-Name]=[HEARTBEAT]"
    assert link.send(see_no_events()) == "+OK no longer listening for events"
    link.write(KICK)
    assert link.send(leave()) == "+OK bye"
