"""From checked values to verbs: what the values of one verb mean together.

Each builder takes the values that were given, by Row.field, and answers the verb with the defaults of `documents`
filled in. What does not go together is told to the reader, or raised as Amiss where nothing is left to build.
"""

from __future__ import annotations

from controlplane.base.making import maker_of
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
_say, _play, _pause, _gather = maker_of(Say), maker_of(Play), maker_of(Pause), maker_of(Gather)
_record, _dial, _link_of = maker_of(Record), maker_of(Dial), maker_of(Link)
_LONGEST_POLLY, _LONGEST_GOOGLE = 3000, 5000
TEXT_TOO_LONG = 13521


def build_say(values: Values, _reader: Reader) -> Say:
    """Speech, of a length that its voice can say (Twilio's TwiML, Say)."""
    text = values.get("text", "")
    if not text:
        raise Amiss("text", "has no text to say", BAD_TEXT)
    if len(text) > _LONGEST_POLLY:
        _verify_length(text, values.get("voice", ""), is_markup="markup" in values)
    return _say(values)


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
    return _play(values)


def build_pause(values: Values, _reader: Reader) -> Pause:
    """Silence."""
    return _pause(values)


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
    if "action" in values:
        _take_action(values)
    if "prompts" in values:
        values["prompts"] = _audible(values["prompts"], reader)
    if "speech" in values:
        values["speech"] = _speech(values["speech"], reader)
    return _gather(values)


def _audible(prompts: list[Prompt], reader: Reader) -> tuple[Prompt, ...]:
    for prompt in prompts:
        if type(prompt) is Play and prompt.digits:
            break
    else:
        return tuple(prompts)
    reader.unfit("prompts", "plays digits, which may not be inside a Gather", 13430)
    return tuple([prompt for prompt in prompts if not (isinstance(prompt, Play) and prompt.digits)])


def _speech(speech: Values, reader: Reader) -> tuple[tuple[str, str], ...]:
    if speech.get("timeout") == "auto" and "model" in speech:
        code = 13335 if speech["model"] == "default" else 13327
        reader.unfit("speech.timeout", "must be a number where the speech model is set, not auto", code)
        del speech["timeout"]
    return tuple(sorted(speech.items()))


def build_record(values: Values, reader: Reader) -> Record:
    """A recording; a transcribe callback alone asks for transcription (Twilio's TwiML, Record)."""
    if "action" in values:
        _take_action(values)
    values["callback"] = _recording_callback(values.get("callback"))
    is_transcribed = values.setdefault("transcribe", "transcribe_callback" in values)
    if is_transcribed and values.setdefault("max_length_s", MAX_TRANSCRIBED_S) > MAX_TRANSCRIBED_S:
        problem = f"is more than the {MAX_TRANSCRIBED_S} s that can be transcribed: it is not transcribed"
        reader.unfit("max_length_s", problem, 13615)
        values["transcribe"] = False
    return _record(values)


def build_dial(values: Values, reader: Reader) -> Dial:
    """One to ten targets. Those that could not be dialled were left out; a Dial without any is a fault."""
    targets: list[Target] = values.get("targets", [])
    if len(targets) > MAX_TARGETS:
        reader.unfit("targets", f"has more than {MAX_TARGETS} targets", 13215)
    if not targets:
        raise Amiss("targets", "has no target that can be dialled", 13215, Outcome.FAULT)
    values["targets"] = tuple(targets[:MAX_TARGETS])
    if "url" not in values.get("refer", {"url": ""}):
        reader.unfit("refer", "has a referMethod but no referUrl", 13802)
    for name in ("action", "refer"):
        values[name] = _link(values.get(name))
    values["recording_callback"] = _recording_callback(values.get("recording_callback"))
    return _dial(values)


def build_number(values: Values, reader: Reader) -> Number:
    """A phone number."""
    try:
        values["number"], oddity = parse_number(values.get("number", ""))
    except Unfit as unfit:
        raise Amiss("number", str(unfit), 13223) from None
    if oddity:
        reader.note("number", oddity, 13223)
    _take_leg(values)
    return Number(**values)


def build_sip(values: Values, reader: Reader) -> Sip:
    """A SIP address. Headers of the address come before others; a user name and a password come together."""
    try:
        address = parse_sip(values.get("uri", ""))
    except Unfit as unfit:
        raise Amiss("uri", str(unfit), 13243) from None
    headers, passed = parse_headers([*address.headers, *values.get("headers", ())])
    for each in (*address.passed, *passed):
        reader.note("uri", each.problem, each.code)
    if ("username" in values) != ("password" in values):
        reader.unfit("username", "and password must both be given", 13249)
        values |= {"username": "", "password": ""}
    _take_leg(values)
    return Sip(**values | {"uri": address.uri, "headers": headers})


def _take_action(values: Values) -> None:
    """Put the link in the place of its parts. The method counts even where the URL is the document's own (None)."""
    action = values["action"]
    if "method" in action:
        values["method"] = action["method"]
    values["action"] = _link_of(action) if action.get("url") else None


def _take_leg(values: Values) -> None:
    if "screening" in values:
        values["screening"] = _link(values["screening"])
    if "status_callback" in values:
        values["status_callback"] = _status_callback(values["status_callback"])


def _link(parts: Values | None) -> Link | None:
    if not parts or not parts.get("url"):
        return None
    return Link(parts["url"], parts.get("method", "POST"))


def _status_callback(parts: Values) -> StatusCallback | None:
    link = _link(parts)
    if link is None:
        return None
    return StatusCallback(link, parts["events"]) if "events" in parts else StatusCallback(link)


def _recording_callback(parts: Values | None) -> RecordingCallback | None:
    link = _link(parts)
    if link is None or parts is None:
        return None
    return RecordingCallback(link, parts["events"]) if "events" in parts else RecordingCallback(link)
