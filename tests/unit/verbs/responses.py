"""Documents made by the official builder for TwiML applications, each with every attribute that is ours."""

from __future__ import annotations

from twilio.twiml.voice_response import Dial as BuiltDial
from twilio.twiml.voice_response import Gather as BuiltGather
from twilio.twiml.voice_response import Say as BuiltSay
from twilio.twiml.voice_response import Sip as BuiltSip
from twilio.twiml.voice_response import VoiceResponse


def speech() -> VoiceResponse:
    response = VoiceResponse()
    response.say("Héllo & <all>", voice="Polly.Joanna-Neural", language="fr-FR", loop=0)
    return response


def markup() -> VoiceResponse:
    say = BuiltSay("Wait")
    say.break_(strength="x-weak", time="100ms")
    say.emphasis("now", level="moderate")
    say.lang("oui", xml_lang="fr-FR")
    say.p("a paragraph")
    say.phoneme("pecan", alphabet="ipa", ph="pɪˈkɑːn")
    say.prosody("slow", volume="-6dB", rate="85%", pitch="-10%")
    say.s("a sentence")
    say.say_as("2025-01-02", interpret_as="date", format="ymd")
    say.sub("Al", alias="aluminium")
    say.w("read", role="amazon:VB")
    response = VoiceResponse()
    response.append(say)
    return response


def playing() -> VoiceResponse:
    response = VoiceResponse()
    response.play("https://app.example/a.mp3?x=1&y=2", loop=10)
    response.play("", digits="wwww3W*#A")
    response.pause(length=10)
    response.pause()
    return response


def gathering() -> VoiceResponse:
    gather = BuiltGather(
        action="/process_gather.php", method="GET", input="dtmf speech", timeout=3, finish_on_key="*", num_digits=4,
        action_on_empty_result=True, language="en-GB", speech_timeout="auto", max_speech_time=30, hints="this, that",
        profanity_filter=False, partial_result_callback="/partial", partial_result_callback_method="POST",
        barge_in=True, enhanced=True,
    )  # fmt: skip
    gather.say("Please enter your number.")
    gather.play("https://app.example/a.mp3")
    gather.pause(length=1)
    response = VoiceResponse()
    response.append(gather)
    return response


def recording() -> VoiceResponse:
    response = VoiceResponse()
    response.record(
        action="/done", method="GET", timeout=10, finish_on_key="*#", max_length=20, play_beep=False,
        trim="do-not-trim", recording_status_callback="/told", recording_status_callback_method="GET",
        recording_status_callback_event="in-progress completed absent", transcribe=True, transcribe_callback="/text",
    )  # fmt: skip
    return response


def dialling() -> VoiceResponse:
    dial = BuiltDial(
        action="/done", method="GET", timeout=10, hangup_on_star=True, time_limit=600, caller_id="+15550002222",
        record="record-from-ringing-dual", trim="trim-silence", recording_status_callback="https://app.example/told",
        recording_status_callback_method="GET", recording_status_callback_event="completed absent",
        answer_on_bridge=True, ring_tone="de", recording_track="inbound", sequential=True, refer_url="/refer",
        refer_method="GET",
    )  # fmt: skip
    dial.number(
        "+1 (555) 000-1111", send_digits="wwww1928", url="/screen", method="GET",
        status_callback_event="initiated ringing answered completed", status_callback="/events",
        status_callback_method="GET",
    )  # fmt: skip
    sip = BuiltSip(username="admin", password="1234", url="/screen", status_callback="/events")
    sip.uri("sip:kate@example.com:5061;transport=tls?X-Secret=a%20b", priority=1, weight=1)
    sip.headers().header(name="X-Queue", value="front")
    dial.append(sip)
    dial.sip("sip:bob@example.com")
    response = VoiceResponse()
    response.append(dial)
    return response


def ending() -> VoiceResponse:
    response = VoiceResponse()
    response.redirect("../nextInstructions", method="GET")
    response.redirect("")
    response.reject(reason="busy")
    response.reject()
    response.hangup()
    return response
