"""From checked values to verbs: what the values of one verb mean together.

Each builder takes the values that were given, by Row.field, and answers the verb with the defaults of `documents`
filled in. What does not go together is told to the reader, or raised as Amiss where nothing is left to build.
"""

from __future__ import annotations

from typing import Any

from controlplane.verbs.dialling import parse_number
from controlplane.verbs.documents import (
    Dial,
    Gather,
    Hangup,
    Link,
    Number,
    Pause,
    Play,
    Prompt,
    Record,
    RecordingCallback,
    Redirect,
    Reject,
    Say,
    Sip,
    StatusCallback,
    Target,
)
from controlplane.verbs.kinds import Unfit
from controlplane.verbs.reading import Amiss, Outcome, Reader
from controlplane.verbs.rows import NOT_ABSOLUTE, Values
from controlplane.verbs.sip import parse_headers, parse_sip
from controlplane.verbs.ssml import BAD_TEXT, plain_length

MAX_TARGETS = 10
MAX_TRANSCRIBED_S = 120
LONGEST_TEXT = 4096
_LONGEST_POLLY, _LONGEST_GOOGLE = 3000, 5000
TEXT_TOO_LONG = 13521


def build_say(values: Values, _reader: Reader) -> Say:
    """Speech, of a length that its voice can say (reference 1.3)."""
    text = values.get("text", "")
    if not text:
        raise Amiss("text", "has no text to say", BAD_TEXT)
    if len(text) > _LONGEST_POLLY:
        _verify_length(text, values.get("voice", ""), is_markup="markup" in values)
    return Say(**values)


def _verify_length(text: str, voice: str, *, is_markup: bool) -> None:
    if voice.startswith("Google."):
        limit, length = _LONGEST_GOOGLE, len(text)
    else:
        limit = _LONGEST_POLLY if voice.startswith("Polly.") else LONGEST_TEXT
        length = plain_length(text) if is_markup else len(text)
    if length > limit:
        raise Amiss("text", f"has {length} characters, more than the {limit} this voice can say", TEXT_TOO_LONG)


def build_play(values: Values, _reader: Reader) -> Play:
    """Audio or keys; something of the two."""
    if not values.get("url") and not values.get("digits"):
        raise Amiss("url", "has neither a URL nor digits to play", 12200)
    return Play(**values)


def build_pause(values: Values, _reader: Reader) -> Pause:
    """Silence."""
    return Pause(**values)


def build_redirect(values: Values, reader: Reader) -> Redirect:
    """Another document, or the current one's URL again, if it has one."""
    if not values.get("url") and not reader.has_url:
        raise Amiss("url", "has no URL, and neither has this document", NOT_ABSOLUTE, Outcome.FAULT)
    return Redirect(**values)


def build_reject(values: Values, _reader: Reader) -> Reject:
    """A refusal."""
    return Reject(**values)


def build_hangup(_values: Values, _reader: Reader) -> Hangup:
    """The end."""
    return Hangup()


def build_gather(values: Values, reader: Reader) -> Gather:
    """Keys and speech. `prompts` hold no Play with digits: the keys would be taken for the caller's."""
    if "speech.timeout" in values:
        _verify_speech_timeout(values, reader)
    return Gather(
        prompts=tuple(prompt for prompt in values.pop("prompts", ()) if _is_audible(prompt, reader)),
        action=_pop_link(values, "action"),
        method=values.pop("action.method", "POST"),
        speech=_pop_speech(values),
        **values,
    )


def _is_audible(prompt: Prompt, reader: Reader) -> bool:
    if isinstance(prompt, Play) and prompt.digits:
        reader.unfit("prompts", "plays digits, which a Gather may not; that Play is left out", 13430)
        return False
    return True


def _verify_speech_timeout(values: Values, reader: Reader) -> None:
    if values["speech.timeout"] == "auto" and "speech.model" in values:
        del values["speech.timeout"]
        code = 13335 if values["speech.model"] == "default" else 13327
        reader.unfit("speech.timeout", "must be a number where speechModel is set, not auto", code)


def _pop_speech(values: Values) -> tuple[tuple[str, str], ...]:
    names = [name for name in values if name.startswith("speech.")]
    return tuple(sorted((name.removeprefix("speech."), values.pop(name)) for name in names))


def build_record(values: Values, reader: Reader) -> Record:
    """A recording; a transcribe callback alone asks for transcription (reference 1.7)."""
    values.setdefault("transcribe", "transcribe_callback" in values)
    if values["transcribe"] and values.setdefault("max_length_s", MAX_TRANSCRIBED_S) > MAX_TRANSCRIBED_S:
        problem = f"is more than the {MAX_TRANSCRIBED_S} s that can be transcribed: recorded, but not transcribed"
        reader.unfit("max_length_s", problem, 13615)
        values["transcribe"] = False
    return Record(
        action=_pop_link(values, "action"),
        method=values.pop("action.method", "POST"),
        callback=_pop_recording_callback(values, "callback"),
        **values,
    )


def build_dial(values: Values, reader: Reader) -> Dial:
    """One to ten targets. Those that could not be dialled were left out; a Dial without any is a fault."""
    targets: list[Target] = values.pop("targets", [])
    if len(targets) > MAX_TARGETS:
        reader.unfit("targets", f"has more than {MAX_TARGETS} targets; the first {MAX_TARGETS} are dialled", 13215)
    if not targets:
        raise Amiss("targets", "has no target that can be dialled", 13215, Outcome.FAULT)
    if "refer.method" in values and "refer.url" not in values:
        reader.unfit("refer", "has a referMethod but no referUrl", 13802)
    dial_action, refer = _pop_link(values, "action"), _pop_link(values, "refer")
    callback = _pop_recording_callback(values, "recording_callback")
    values.pop("action.method", None)
    return Dial(tuple(targets[:MAX_TARGETS]), dial_action, recording_callback=callback, refer=refer, **values)


def build_number(values: Values, reader: Reader) -> Number:
    """A phone number."""
    try:
        number, oddity = parse_number(values.pop("number", ""))
    except Unfit as unfit:
        raise Amiss("number", str(unfit), 13223) from None
    if oddity:
        reader.note("number", oddity, 13223)
    return Number(number, **_pop_leg(values), **values)


def build_sip(values: Values, reader: Reader) -> Sip:
    """A SIP address. Headers of the address come before others; a user name and a password come together."""
    try:
        address = parse_sip(values.pop("uri", ""))
    except Unfit as unfit:
        raise Amiss("uri", str(unfit), 13243) from None
    headers, passed = parse_headers([*address.headers, *values.pop("headers", ())])
    for each in (*address.passed, *passed):
        reader.note("uri", each.problem, each.code)
    username, password = values.pop("username", ""), values.pop("password", "")
    if bool(username) != bool(password):
        reader.unfit("username", "and password must both be given", 13249)
        username = password = ""
    return Sip(address.uri, headers, username, password, **_pop_leg(values), **values)


def _pop_leg(values: Values) -> dict[str, Any]:
    return {
        "screening": _pop_link(values, "screening"),
        "status_callback": _pop_status_callback(values),
    }


def _pop_link(values: Values, name: str) -> Link | None:
    url = values.pop(f"{name}.url", "")
    if not url:
        return None
    return Link(url, values.get(f"{name}.method", "POST"))


def _pop_status_callback(values: Values) -> StatusCallback | None:
    link = _pop_link(values, "status_callback")
    values.pop("status_callback.method", None)
    events = values.pop("status_callback.events", None)
    if link is None:
        return None
    return StatusCallback(link, events) if events else StatusCallback(link)


def _pop_recording_callback(values: Values, name: str) -> RecordingCallback | None:
    link = _pop_link(values, name)
    values.pop(f"{name}.method", None)
    events = values.pop(f"{name}.events", None)
    if link is None:
        return None
    return RecordingCallback(link, events) if events else RecordingCallback(link)
