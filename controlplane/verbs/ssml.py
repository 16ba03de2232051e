"""Speech markup (SSML) inside Say: the elements and attributes that may be there (Twilio's TwiML, Say).

Checked markup is kept as text: escaped, with the elements that are known. Others lose their tags and keep their words;
attributes that are unknown or unfit are dropped. Each of these is a warning.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TypeAlias
from xml.etree.ElementTree import Element

from controlplane.verbs.kinds import Kind, Text, Unfit, words

Complain: TypeAlias = Callable[[Element, str, str], None]  # element, attribute or "", problem

BAD_TEXT = 13520
_TAG = re.compile(r"<[^>]*>")
_ENTITY = re.compile(r"&[a-z]+;")

_ESCAPED = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"}
_IN_TEXT = str.maketrans(_ESCAPED)
_IN_ATTRIBUTES = str.maketrans(_ESCAPED | {'"': "&quot;", "\t": "&#9;", "\n": "&#10;"})

_PLAIN = Text("a plain word", re.compile(r"[^\x00-\x1f<>]{0,200}\Z"))
_LANGUAGE = Text("a language tag such as en-US", re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*\Z"))
_DURATION = Text("a time such as 250ms or 2s", re.compile(r"\+?[0-9]{1,5}(\.[0-9]{1,3})?(ms|s)\Z"))
_AS = words(
    "characters", "spell-out", "cardinal", "number", "ordinal", "digits", "fraction", "unit", "date", "time",
    "address", "expletive", "telephone",
)  # fmt: skip
_FORMAT = words("mdy", "dmy", "ymd", "md", "dm", "ym", "my", "d", "m", "y", "yyyymmdd")

ELEMENTS: Mapping[str, Mapping[str, Kind]] = {
    "break": {"strength": words("none", "x-weak", "weak", "medium", "strong", "x-strong"), "time": _DURATION},
    "emphasis": {"level": words("strong", "moderate", "reduced")},
    "lang": {"xml:lang": _LANGUAGE},
    "p": {},
    "phoneme": {"alphabet": Text("ipa, x-sampa or x-amazon-…", re.compile(r"(ipa|x-[a-z-]{1,30})\Z")), "ph": _PLAIN},
    "prosody": {"volume": _PLAIN, "rate": _PLAIN, "pitch": _PLAIN},
    "s": {},
    "say-as": {"interpret-as": _AS, "format": _FORMAT},
    "sub": {"alias": _PLAIN},
    "w": {"role": _PLAIN},
}


def escape(text: str) -> str:
    """Text as it stands between tags; a carriage return would not survive as it is (XML 1.0 §2.11)."""
    return text.translate(_IN_TEXT) if text else text


def escape_attribute(text: str) -> str:
    """Text as it stands in an attribute between double quotes (XML 1.0 §3.3.3)."""
    return text.translate(_IN_ATTRIBUTES)


def speech_of(element: Element, complain: Complain) -> tuple[str, bool]:
    """What is inside an element, as far as it is speech, and whether that is markup: it is if it has elements.

    Elements are nested as deep as the caller lets them be.
    """
    markup = _markup(element, complain).strip()
    if "<" in markup:
        return markup, True
    return "".join(element.itertext()).strip(), False


def _markup(element: Element, complain: Complain) -> str:
    parts = [escape(element.text or "")]
    for child in element:
        parts.append(_tagged(child, _markup(child, complain), complain))
        parts.append(escape(child.tail or ""))
    return "".join(parts)


def plain_length(markup: str) -> int:
    """The number of characters that are spoken: the markup is not counted."""
    return len(_ENTITY.sub("x", _TAG.sub("", markup)))


def _tagged(element: Element, inside: str, complain: Complain) -> str:
    kinds = ELEMENTS.get(element.tag)
    if kinds is None:
        complain(element, "", "is not known inside Say")
        return inside
    name = element.tag
    attributes = "".join(_attribute(element, key, text, kinds, complain) for key, text in element.items())
    return f"<{name}{attributes}>{inside}</{name}>" if inside else f"<{name}{attributes}/>"


def _attribute(element: Element, key: str, text: str, kinds: Mapping[str, Kind], complain: Complain) -> str:
    kind = kinds.get(key)
    if kind is None:
        complain(element, key, "is not known")
        return ""
    try:
        return f' {key}="{escape_attribute(kind.to_text(kind.from_text(text)))}"'
    except Unfit as unfit:
        complain(element, key, str(unfit))
        return ""
