"""Documents made by the official builder for TwiML applications, every verb and attribute of it that is ours."""

from __future__ import annotations

import pytest
from twilio.twiml.voice_response import Dial as BuiltDial
from twilio.twiml.voice_response import VoiceResponse

from controlplane.base.e164 import E164
from controlplane.verbs.documents import (
    Dial,
    DialRecord,
    Document,
    Gather,
    Hangup,
    Link,
    Number,
    Pause,
    Play,
    Record,
    RecordingCallback,
    RecordingEvent,
    Redirect,
    Reject,
    RejectReason,
    Say,
    Sip,
    StatusCallback,
    StatusEvent,
    Track,
    Verb,
)
from controlplane.verbs.parsing import parse_document
from tests.unit.verbs.responses import dialling, ending, gathering, markup, playing, recording, speech

NUMBER = E164("+15550001111")


def read(response: VoiceResponse) -> Document:
    return parse_document(str(response).encode(), "text/xml", source_url="https://app.example/voice")


def without_effect(document: Document) -> set[str]:
    """The names of what was checked and has no effect yet; there must be no other warning."""
    assert all(warning.code == 12200 and warning.problem == "has no effect yet" for warning in document.warnings)
    return {warning.path.partition("@")[2] for warning in document.warnings}


MARKUP = (
    'Wait<break strength="x-weak" time="100ms"/><emphasis level="moderate">now</emphasis>'
    '<lang xml:lang="fr-FR">oui</lang><p>a paragraph</p><phoneme alphabet="ipa" ph="pɪˈkɑːn">pecan</phoneme>'
    '<prosody pitch="-10%" rate="85%" volume="-6dB">slow</prosody><s>a sentence</s>'
    '<say-as format="ymd" interpret-as="date">2025-01-02</say-as><sub alias="aluminium">Al</sub>'
    '<w role="amazon:VB">read</w>'
)


@pytest.mark.parametrize(
    ("response", "verbs"),
    [
        (speech(), (Say("Héllo & <all>", voice="Polly.Joanna-Neural", language="fr-FR", loop=1000),)),
        (markup(), (Say(MARKUP, markup=True),)),
        (
            playing(),
            (
                Play("https://app.example/a.mp3?x=1&y=2", loop=10),
                Play(digits="wwww3W*#A"),
                Pause(10),
                Pause(),
            ),
        ),
        (
            gathering(),
            (
                Gather(
                    prompts=(Say("Please enter your number."), Play("https://app.example/a.mp3"), Pause(1)),
                    action=Link("/process_gather.php", "GET"),
                    method="GET",
                    inputs=frozenset({"dtmf", "speech"}),
                    timeout_s=3,
                    finish_key="*",
                    num_digits=4,
                    action_on_empty_result=True,
                    language="en-GB",
                    speech=(
                        ("barge_in", "true"),
                        ("enhanced", "true"),
                        ("hints", "this, that"),
                        ("max_time", "30"),
                        ("partial_result_callback", "/partial"),
                        ("partial_result_callback_method", "POST"),
                        ("profanity_filter", "false"),
                        ("timeout", "auto"),
                    ),
                ),
            ),
        ),
        (
            recording(),
            (
                Record(
                    action=Link("/done", "GET"),
                    method="GET",
                    timeout_s=10,
                    finish_keys="*#",
                    max_length_s=20,
                    play_beep=False,
                    trim=False,
                    callback=RecordingCallback(Link("/told", "GET"), frozenset(RecordingEvent)),
                    transcribe=True,
                    transcribe_callback="/text",
                ),
            ),
        ),
        (
            dialling(),
            (
                Dial(
                    (
                        Number(
                            NUMBER,
                            "wwww1928",
                            Link("/screen", "GET"),
                            StatusCallback(Link("/events", "GET"), frozenset(StatusEvent)),
                        ),
                        Sip(
                            "sip:kate@example.com:5061;transport=tls",
                            (("X-Secret", "a b"), ("X-Queue", "front")),
                            "admin",
                            "1234",
                            screening=Link("/screen"),
                            status_callback=StatusCallback(Link("/events")),
                        ),
                        Sip("sip:bob@example.com"),
                    ),
                    action=Link("/done", "GET"),
                    timeout_s=10,
                    time_limit_s=600,
                    hangup_on_star=True,
                    caller_id="+15550002222",
                    record=DialRecord.FROM_RINGING_DUAL,
                    trim=True,
                    recording_track=Track.INBOUND,
                    recording_callback=RecordingCallback(
                        Link("https://app.example/told", "GET"),
                        frozenset({RecordingEvent.COMPLETED, RecordingEvent.ABSENT}),
                    ),
                    answer_on_bridge=True,
                    ring_tone="de",
                    sequential=True,
                    refer=Link("/refer", "GET"),
                ),
            ),
        ),
        (
            ending(),
            (Redirect("../nextInstructions", "GET"), Redirect(), Reject(RejectReason.BUSY), Reject(), Hangup()),
        ),
    ],
    ids=["say", "markup", "play", "gather", "record", "dial", "end"],
)
def test_every_attribute_that_is_ours_is_taken_without_a_warning(
    response: VoiceResponse, verbs: tuple[Verb, ...]
) -> None:
    assert read(response) == Document(verbs)


def test_a_number_as_the_text_of_a_dial_is_a_target() -> None:
    response = VoiceResponse()
    response.dial("+1-555-000-1111", caller_id="client:alice")

    assert read(response) == Document((Dial((Number(NUMBER),), caller_id="alice"),))


def test_what_has_no_effect_yet_is_said() -> None:
    response = VoiceResponse()
    response.gather(debug=True)
    response.record(recording_configuration_id="RC1")
    dial = BuiltDial(events="x", passports="cGFzcw", recording_configuration_id="RC1", callReason="Your order")
    detection = {
        "machine_detection": "DetectMessageEnd",
        "machine_detection_timeout": 30,
        "machine_detection_speech_threshold": 2400,
        "machine_detection_speech_end_threshold": 1200,
        "machine_detection_silence_timeout": 5000,
        "amd_status_callback": "/amd",
        "amd_status_callback_method": "POST",
    }
    dial.number("+15550001111", byoc="BY1", **detection)
    dial.sip("sip:bob@example.com", **detection)
    response.append(dial)

    document = read(response)

    assert document.verbs == (Gather(), Record(), Dial((Number(NUMBER), Sip("sip:bob@example.com"))))
    assert without_effect(document) == {
        "debug", "events", "passports", "recordingConfigurationId", "callReason", "byoc", "machineDetection",
        "machineDetectionTimeout", "machineDetectionSpeechThreshold", "machineDetectionSpeechEndThreshold",
        "machineDetectionSilenceTimeout", "amdStatusCallback", "amdStatusCallbackMethod",
    }  # fmt: skip


def test_verbs_of_later_releases_are_passed_over() -> None:
    response = VoiceResponse()
    response.connect().stream(url="wss://app.example")
    response.echo()
    response.enqueue("support")
    response.leave()
    response.pay()
    response.prompt()
    response.queue("support")
    response.refer().sip("sip:a@b.example")
    response.sms("hello")
    response.start().stream(url="wss://app.example")
    response.stop().stream(name="x")
    response.say("Goodbye.")

    document = read(response)

    assert document.verbs == (Say("Goodbye."),)
    assert [warning.path for warning in document.warnings] == [
        "Connect[1]", "Echo[1]", "Enqueue[1]", "Leave[1]", "Pay[1]", "Prompt[1]", "Queue[1]", "Refer[1]", "Sms[1]",
        "Start[1]", "Stop[1]",
    ]  # fmt: skip
    assert {(warning.problem, warning.code) for warning in document.warnings} == {
        ("is not supported yet; it is passed over", 12200)
    }


def test_targets_of_later_releases_are_passed_over() -> None:
    dial = BuiltDial()
    dial.client("alice")
    dial.conference("room")
    dial.queue("support")
    dial.application("AP1")
    dial.sim("DE1")
    dial.whats_app("+15550001111")
    dial.number("+15550001111")
    response = VoiceResponse()
    response.append(dial)

    document = read(response)

    assert document.verbs == (Dial((Number(NUMBER),)),)
    assert [(warning.path, warning.problem) for warning in document.warnings] == [
        (f"Dial[1]/{name}[1]", "is not supported yet; it is passed over")
        for name in ("Client", "Conference", "Queue", "Application", "Sim", "WhatsApp")
    ]
