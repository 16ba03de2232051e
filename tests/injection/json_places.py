"""Where a tenant's value can stand in our JSON: fields by their key, with a dot for a member of an object there.

Where a list or an object is wanted, the value is in one; where a number or a boolean is, every text is refused.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.injection.application import Answer
from tests.injection.places import ADDRESS, ANSWERS, BUSY, SOUND, Place

_LINK = {"url": "/told"}
_JSON_LEG = (
    "send_digits", "screening.url", "screening.method", "status_callback.url", "status_callback.method",
    "status_callback.events",
)  # fmt: skip
_JSON_TOLD: dict[str, Any] = {"status_callback": _LINK, "screening": {"url": "/screen"}}


# What a value stands in where the field takes no text, by the last word of its name.
_INSIDE: dict[str, Callable[[str], Any]] = {
    "inputs": lambda text: [text],
    "events": lambda text: [text],
    "targets": lambda text: [text],
    "prompts": lambda text: [{"say": {"text": text}}],
    "headers": lambda text: {"X-A": text},
}


@dataclass(frozen=True, slots=True)
class Object:
    """A verb or target of our JSON."""

    key: str
    fields: tuple[str, ...]
    base: dict[str, Any] = field(default_factory=dict)
    is_target: bool = False
    ends: bool = False


OBJECTS = (
    Object("say", ("text", "voice", "language", "loop", "markup"), {"text": "Hello."}),
    Object("play", ("url", "loop", "digits"), {"url": SOUND}),
    Object("pause", ("length_s",)),
    Object(
        "gather",
        (
            "action.url", "action.method", "inputs", "timeout_s", "finish_key", "num_digits", "action_on_empty_result",
            "language", "speech.timeout", "speech.max_time", "speech.model", "speech.hints",
            "speech.partial_result_callback", "speech.partial_result_callback_method", "speech.profanity_filter",
            "speech.barge_in", "speech.enhanced", "prompts",
        ),
        {"timeout_s": 1, "action_on_empty_result": True, "inputs": ["dtmf", "speech"]},
    ),
    Object(
        "record",
        (
            "action.url", "action.method", "timeout_s", "finish_keys", "max_length_s", "play_beep", "trim",
            "callback.url", "callback.method", "callback.events", "transcribe", "transcribe_callback",
        ),
        {"max_length_s": 1, "timeout_s": 1, "play_beep": False, "callback": _LINK},
    ),
    Object(
        "dial",
        (
            "action.url", "action.method", "timeout_s", "time_limit_s", "hangup_on_star", "caller_id", "record", "trim",
            "recording_track", "recording_callback.url", "recording_callback.method", "recording_callback.events",
            "answer_on_bridge", "ring_tone", "sequential", "refer.url", "refer.method", "targets",
        ),
        {"targets": [BUSY], "timeout_s": 5, "recording_callback": _LINK, "refer": {"url": "/refer"}},
    ),
    Object("number", ("number", *_JSON_LEG), {"number": ANSWERS} | _JSON_TOLD, is_target=True),
    Object("sip", ("uri", "headers", "username", "password", *_JSON_LEG),
           {"uri": ADDRESS, "username": "u", "password": "p"} | _JSON_TOLD, is_target=True),
    Object("redirect", ("url", "method"), {"url": "/next"}),
    Object("reject", ("reason",), ends=True),
)  # fmt: skip


def json_places() -> Iterator[Place]:
    """Every place of a document in our JSON."""
    for one in OBJECTS:
        for name in one.fields:
            yield Place(f"json {one.key}.{name}", _in_object(one, name), one.ends)
    yield Place("json sip.headers name", lambda text: _dialling({"uri": ADDRESS, "headers": {f"X-{text}": "1"}}))
    yield Place("json key", lambda text: in_json({"say": {"text": "Hello.", text: "1"}}))
    yield Place("json verb", lambda text: in_json({text: {}}))


def _in_object(one: Object, name: str) -> Callable[[str], Answer]:
    group, dot, member = name.partition(".")
    last = member or group

    def answer(text: str) -> Answer:
        given = _INSIDE[last](text) if last in _INSIDE else text
        value = {**one.base.get(group, {}), member: given} if dot else given
        verb = {one.key: {**one.base, group: value}}
        return in_json({"dial": {"targets": [verb], "timeout_s": 5}} if one.is_target else verb)

    return answer


def _dialling(sip: dict[str, Any]) -> Answer:
    return in_json({"dial": {"targets": [{"sip": sip}], "timeout_s": 5}})


def in_json(verb: dict[str, Any]) -> Answer:
    """A document of one verb, after which the next is asked for."""
    return Answer(json.dumps([verb, {"redirect": "/next"}]).encode(), "application/json")
