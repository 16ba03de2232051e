"""The verbs: one Spec each, for all dialects. Defaults are those of `documents`; limits and numbers the reference's."""

from __future__ import annotations

import re

from controlplane.verbs.building import (
    build_dial,
    build_gather,
    build_hangup,
    build_number,
    build_pause,
    build_play,
    build_record,
    build_redirect,
    build_reject,
    build_say,
    build_sip,
)
from controlplane.verbs.dialling import parse_caller
from controlplane.verbs.documents import MAX_LOOPS, DialRecord, RecordingEvent, RejectReason, StatusEvent, Track
from controlplane.verbs.kinds import (
    Checked,
    Several,
    Switch,
    Text,
    Whole,
    words,
    words_of,
)
from controlplane.verbs.reading import UNKNOWN, Outcome
from controlplane.verbs.rows import (
    BAD_URL,
    METHOD,
    NOT_ABSOLUTE,
    Body,
    Children,
    Row,
    Spec,
    callback,
    link,
    table,
    without_effect,
)
from controlplane.verbs.sip import Headers
from controlplane.verbs.urls import Url
from controlplane.verbs.wider_kinds import Kept, OrAuto

LONGEST_CALL_S = 14_400

_YES_NO = Switch()
_TRIM = Switch("trim-silence", "do-not-trim")
_LOOP = Whole(1, MAX_LOOPS, zero=MAX_LOOPS)
_LANGUAGE = Text("a language tag such as en-US", re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*\Z"))
_VOICE = Text(
    "man, woman, alice or a name such as Polly.Joanna",
    re.compile(r"(man|woman|alice|[A-Za-z][A-Za-z0-9-]{0,30}\.[A-Za-z0-9][A-Za-z0-9._-]{0,80})\Z"),
)
_ONE_KEY = Text("one of 0-9 * #, or nothing", re.compile(r"[0-9*#]?\Z"))
_KEYS = Text("some of 0-9 * #", re.compile(r"[0-9*#]{0,16}\Z"))
_SENT = "keys 0-9 A-D * #, w for half a second, W for a second"
_RECORDING_EVENTS = Several(words_of(RecordingEvent))
_STATUS_EVENTS = Several(words_of(StatusEvent))
_RING_TONES = words(
    "at", "au", "bg", "br", "be", "ch", "cl", "cn", "cz", "de", "dk", "ee", "es", "fi", "fr", "gr", "hu", "il", "in",
    "it", "lt", "jp", "mx", "my", "nl", "no", "nz", "ph", "pl", "pt", "ru", "se", "sg", "th", "uk", "us", "us-old",
    "tw", "ve", "za",
)  # fmt: skip
_SPEECH_MODELS = words(
    "default", "numbers_and_commands", "phone_call", "experimental_conversations", "experimental_utterances",
    "googlev2_long", "googlev2_short", "googlev2_telephony", "googlev2_telephony_short", "deepgram_nova-2",
    "deepgram_nova-3",
)  # fmt: skip
_HINTS = Text("at most 500 phrases of at most 100 characters", re.compile(r"[^,]{0,100}(,[^,]{0,100}){0,499}\Z"))
_ANYTHING = Text()
_RECORD = words_of(DialRecord, true=DialRecord.FROM_ANSWER, false=DialRecord.NO)
_INPUTS = Several(words("dtmf", "speech"))

SAY = Spec(
    "Say",
    "say",
    build_say,
    (
        Row("text", "", _ANYTHING, 13520, Outcome.SKIP),
        Row("voice", "voice", _VOICE, 13511),
        Row("language", "language", _LANGUAGE, 13512),
        Row("loop", "loop", _LOOP, 13510),
        Row("markup", None, _YES_NO, 13520),
    ),
    Body.SPEECH,
)

PLAY = Spec(
    "Play",
    "play",
    build_play,
    (
        Row("url", "", Url(), BAD_URL, Outcome.FAULT, no_base=BAD_URL),
        Row("loop", "loop", _LOOP, 13410),
        Row("digits", "digits", Text(_SENT, re.compile(r"[0-9A-D*#wW]{0,80}\Z")), 13430),
    ),
    Body.TEXT,
)

PAUSE = Spec("Pause", "pause", build_pause, (Row("length_s", "length", Whole(1, LONGEST_CALL_S), 13910),))

GATHER = Spec(
    "Gather",
    "gather",
    build_gather,
    (
        *link("action", "action", "method", 13312),
        Row("inputs", "input", _INPUTS, 13326),
        Row("timeout_s", "timeout", Whole(1, LONGEST_CALL_S), 13313),
        Row("finish_key", "finishOnKey", _ONE_KEY, 13310),
        Row("num_digits", "numDigits", Whole(1, 128), 13314),
        Row("action_on_empty_result", "actionOnEmptyResult", _YES_NO, 13338),
        Row("language", "language", _LANGUAGE, 13331),
        Row("speech.timeout", "speechTimeout", Kept(OrAuto(Whole(1, 60))), 13327),
        Row("speech.max_time", "maxSpeechTime", Kept(Whole(1, 60)), 13328),
        Row("speech.model", "speechModel", _SPEECH_MODELS, 13334),
        Row("speech.hints", "hints", _HINTS, 13330),
        Row("speech.partial_result_callback", "partialResultCallback", Url(), 13329, no_base=NOT_ABSOLUTE),
        Row("speech.partial_result_callback_method", "partialResultCallbackMethod", METHOD, 13329),
        Row("speech.profanity_filter", "profanityFilter", Kept(_YES_NO), 13333),
        Row("speech.barge_in", "bargeIn", Kept(_YES_NO), 13332),
        Row("speech.enhanced", "enhanced", Kept(_YES_NO), UNKNOWN),
        without_effect("debug", _ANYTHING, UNKNOWN),
    ),
    children=Children("prompts", table([SAY, PLAY, PAUSE]), 13320),
)

RECORD = Spec(
    "Record",
    "record",
    build_record,
    (
        *link("action", "action", "method", 13610),
        Row("timeout_s", "timeout", Whole(0, LONGEST_CALL_S), 13611),
        Row("finish_keys", "finishOnKey", _KEYS, 13613),
        Row("max_length_s", "maxLength", Whole(1, LONGEST_CALL_S), 13612),
        Row("play_beep", "playBeep", _YES_NO, 13616),
        Row("trim", "trim", _TRIM, 13699),
        *callback("callback", "recordingStatusCallback", _RECORDING_EVENTS, url=13256, method=UNKNOWN, event=13621),
        Row("transcribe", "transcribe", _YES_NO, 13614),
        Row("transcribe_callback", "transcribeCallback", Url(), 13257, no_base=NOT_ABSOLUTE),
        without_effect("recordingConfigurationId", _ANYTHING, UNKNOWN),
    ),
)

_AMD = (
    without_effect("machineDetection", words("Enable", "DetectMessageEnd"), 21234),
    without_effect("machineDetectionTimeout", Whole(3, 60), 21234),
    without_effect("machineDetectionSpeechThreshold", Whole(1000, 6000), 21234),
    without_effect("machineDetectionSpeechEndThreshold", Whole(500, 5000), 21234),
    without_effect("machineDetectionSilenceTimeout", Whole(2000, 10_000), 21234),
    without_effect("amdStatusCallback", Url(), 21262),
    without_effect("amdStatusCallbackMethod", METHOD, 21234),
)


def _leg(method: int, digits: int) -> tuple[Row, ...]:
    """What a number and a SIP address have in common; the codes of a bad method and bad digits differ."""
    return (
        Row("send_digits", "sendDigits", Text(_SENT, re.compile(r"[0-9A-D*#wW]{0,32}\Z")), digits),
        *link("screening", "url", "method", method, no_base=BAD_URL),
        *callback("status_callback", "statusCallback", _STATUS_EVENTS, url=BAD_URL, method=method, event=UNKNOWN),
        *_AMD,
    )


NUMBER = Spec(
    "Number",
    "number",
    build_number,
    (
        Row("number", "", _ANYTHING, 13223, Outcome.SKIP),
        *_leg(13221, 13222),
        without_effect("byoc", _ANYTHING, UNKNOWN),
    ),
    Body.TEXT,
)

_NAME = Text("at most 128 plain characters", re.compile(r"[A-Za-z0-9._~@+=*!#?&-]{1,128}\Z"))
_PASSWORD = Text("at most 128 plain characters", re.compile(r"[A-Za-z0-9._~/@+=;*()!#?&-]{1,128}\Z"), is_secret=True)

SIP = Spec(
    "Sip",
    "sip",
    build_sip,
    (
        Row("uri", "", _ANYTHING, 13243, Outcome.SKIP),
        Row("headers", None, Headers(), 13252),
        Row("username", "username", _NAME, 13249),
        Row("password", "password", _PASSWORD, 13249),
        *_leg(13241, 13242),
    ),
    Body.ADDRESS,
)

# Parts of a Sip that TwiML alone has; their values are taken into it.
URI = Spec(
    "Uri",
    "",
    build_sip,
    (
        Row("uri", "", _ANYTHING, 13243),
        Row("priority", "priority", Whole(0, 65_535), UNKNOWN),
        Row("weight", "weight", Whole(0, 65_535), UNKNOWN),
        Row("username", "username", _NAME, 13249),
        Row("password", "password", _PASSWORD, 13249),
    ),
    Body.TEXT,
)
HEADER = Spec("Header", "", build_sip, (Row("name", "name", _ANYTHING, 13252), Row("value", "value", _ANYTHING, 32112)))

DIAL = Spec(
    "Dial",
    "dial",
    build_dial,
    (
        *link("action", "action", "method", 13210),
        Row("timeout_s", "timeout", Whole(5, 600), 13212),
        Row("time_limit_s", "timeLimit", Whole(1, LONGEST_CALL_S), 13216),
        Row("hangup_on_star", "hangupOnStar", _YES_NO, 13213),
        Row("caller_id", "callerId", Checked(parse_caller, "a caller id"), 13214),
        Row("record", "record", _RECORD, 13217),
        Row("trim", "trim", _TRIM, 13699),
        Row("recording_track", "recordingTrack", words_of(Track), 13622),
        *callback(
            "recording_callback", "recordingStatusCallback", _RECORDING_EVENTS, url=13256, method=UNKNOWN, event=13621
        ),
        Row("answer_on_bridge", "answerOnBridge", _YES_NO, 13219),
        Row("ring_tone", "ringTone", _RING_TONES, 13220),
        Row("sequential", "sequential", _YES_NO, 13218),
        *link("refer", "referUrl", "referMethod", UNKNOWN),
        without_effect("callReason", Text("at most 50 characters", re.compile(r".{0,50}\Z")), UNKNOWN),
        without_effect("events", _ANYTHING, UNKNOWN),
        without_effect("passports", _ANYTHING, UNKNOWN),
        without_effect("recordingConfigurationId", _ANYTHING, UNKNOWN),
    ),
    children=Children(
        "targets",
        table([NUMBER, SIP], later=("Client", "Conference", "Queue", "Application", "Sim", "WhatsApp")),
        13215,
        text=NUMBER,
    ),
)

REDIRECT = Spec(
    "Redirect",
    "redirect",
    build_redirect,
    (
        Row("url", "", Url(), BAD_URL, Outcome.FAULT, no_base=NOT_ABSOLUTE),
        Row("method", "method", METHOD, 13710),
    ),
    Body.TEXT,
)

REJECT = Spec("Reject", "reject", build_reject, (Row("reason", "reason", words_of(RejectReason), 13810),))

HANGUP = Spec("Hangup", "hangup", build_hangup)

VERBS = table(
    [SAY, PLAY, PAUSE, GATHER, RECORD, DIAL, REDIRECT, REJECT, HANGUP],
    later=("Connect", "Echo", "Enqueue", "Leave", "Pay", "Prompt", "Queue", "Refer", "Sms", "Start", "Stop"),
)


SPECS = {spec.tag: spec for spec in (*VERBS.by_tag.values(), NUMBER, SIP, URI, HEADER)}
