"""SSML, cut down to what may reach an engine.

The document's parser has checked elements already; this is the second lock on that door, because what lies behind it
is dangerous: espeak-ng 1.51 runs `sox` through a shell for `<audio src="…">`, with the value inside the command line,
and flite 2.2 loops for ever on `<prosody>`. So markup is read here into pieces, of which only those in the tables are
written out again, with values of our own making; everything else loses its tags and keeps its words.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias
from xml.sax.saxutils import escape

from controlplane.speech.words import break_words_between_tags, without_controls

MAX_DEPTH = 12  # espeak-ng's own stack holds 20
_MAX_BREAK_MS = 10_000
_NAME = r"[A-Za-z][\w:.-]*"
_TAG = re.compile(rf"<(/?)({_NAME})((?:\s+{_NAME}\s*=\s*(?:\"[^\"<]*\"|'[^'<]*'))*)\s*(/?)>")
_ATTRIBUTE = re.compile(rf"({_NAME})\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")
_TIME = re.compile(r"\+?(\d{1,6}(?:\.\d{1,3})?)(ms|s)\Z")
_PERCENT = re.compile(r"([+-]?)(\d{1,3})(?:\.\d+)?%\Z")
_DECIBEL = re.compile(r"([+-]?)(\d{1,2})(?:\.\d+)?dB\Z")
_LEVELS = frozenset({"strong", "moderate", "reduced", "none"})
_STRENGTHS = frozenset({"none", "x-weak", "weak", "medium", "strong", "x-strong"})
_SAY_AS = {"characters": "characters", "spell-out": "characters", "digits": "tts:digits", "telephone": "tts:digits"}
_RATES = frozenset({"x-slow", "slow", "medium", "fast", "x-fast", "default"})
_VOLUMES = frozenset({"silent", "x-soft", "soft", "medium", "loud", "x-loud", "default"})
_PITCHES = frozenset({"x-low", "low", "medium", "high", "x-high", "default"})


@dataclass(frozen=True, slots=True)
class Words:
    """Text between tags, entities resolved."""

    text: str


@dataclass(frozen=True, slots=True)
class Opening:
    """A start tag, or an empty element."""

    name: str
    attributes: tuple[tuple[str, str], ...] = ()
    is_empty: bool = False


@dataclass(frozen=True, slots=True)
class Closing:
    """An end tag."""

    name: str


Piece: TypeAlias = Words | Opening | Closing


def parse_markup(text: str) -> list[Piece]:
    """Read markup into pieces. Never raises: what is no tag is text."""
    pieces: list[Piece] = []
    text, at = _without_comments(text), 0
    for tag in _TAG.finditer(text):
        pieces += _words(text[at : tag.start()])
        at = tag.end()
        if tag[1]:
            pieces.append(Closing(tag[2]))
            continue
        found = _ATTRIBUTE.findall(tag[3])
        attributes = tuple((name, html.unescape(double or single)) for name, double, single in found)
        pieces.append(Opening(tag[2], attributes, bool(tag[4])))
    return pieces + _words(text[at:])


def plain_text(text: str) -> str:
    """Only the words, for an engine that is not given markup: a break, paragraph or sentence ends a sentence."""
    said: list[str] = []
    for piece in _with_aliases(parse_markup(text)):
        match piece:
            case Words(words):
                said.append(words)
            case Opening("break") | Opening("p") | Opening("s") | Closing("p") | Closing("s"):
                said.append("\n\n")
            case _:
                pass
    return "".join(said).strip()


def espeak_markup(text: str, voice_of: Callable[[str], str | None]) -> str:
    """Write what espeak-ng understands of it; `voice_of` answers the voice for a tag in lower case."""
    written: list[str] = []
    open_tags: list[tuple[str, str]] = []  # (the element as it came, its end tag as written, "" if it was dropped)
    for piece in _with_aliases(parse_markup(text)):
        match piece:
            case Words(words):
                written.append(escape(words))
            case Opening("break"):
                written.append(f"<break{_break_values(dict(piece.attributes))}/>")
            case Opening(name, attributes, False):
                tag = _espeak_tag(name, dict(attributes), voice_of) if len(open_tags) < MAX_DEPTH else ""
                open_tags.append((name, f"</{tag.partition(' ')[0]}>" if tag else ""))
                written.append(f"<{tag}>" if tag else "")
            case Closing(name) if open_tags and open_tags[-1][0] == name:
                written.append(open_tags.pop()[1])
            case _:
                pass
    return break_words_between_tags("".join(written + [end for _, end in reversed(open_tags)]))


def _espeak_tag(name: str, values: dict[str, str], voice_of: Callable[[str], str | None]) -> str:
    """The inside of a start tag, or nothing if espeak-ng has no use for the element."""
    match name:
        case "p" | "s":
            return name
        case "emphasis":
            level = values.get("level", "")
            return f'emphasis level="{level}"' if level in _LEVELS else "emphasis"
        case "lang":
            voice = voice_of(values.get("xml:lang", "").casefold())
            return f'voice xml:lang="{voice}"' if voice else ""
        case "say-as":
            kind = _SAY_AS.get(values.get("interpret-as", ""))
            return f'say-as interpret-as="{kind}"' if kind else ""
        case "prosody":
            return f"prosody{_prosody_values(values)}"
        case _:
            return ""


def _break_values(values: dict[str, str]) -> str:
    time = _TIME.match(values.get("time", ""))
    if time is not None:
        length_ms = float(time[1]) * (1000 if time[2] == "s" else 1)
        return f' time="{min(int(length_ms), _MAX_BREAK_MS)}ms"'
    strength = values.get("strength", "")
    return f' strength="{strength}"' if strength in _STRENGTHS else ""


def _prosody_values(values: dict[str, str]) -> str:
    rate, volume, pitch = (values.get(name, "") for name in ("rate", "volume", "pitch"))
    written = ""
    if rate in _RATES:
        written += f' rate="{rate}"'
    elif percent := _PERCENT.match(rate):
        relative = 100 if percent[1] else 0  # "+20%" is 120 %
        speed = relative + int(percent[1] + percent[2])
        written += f' rate="{min(max(speed, 20), 300)}%"'
    if volume in _VOLUMES:
        written += f' volume="{volume}"'
    elif decibel := _DECIBEL.match(volume):
        written += f' volume="{decibel[1] or "+"}{min(int(decibel[2]), 12)}dB"'
    if pitch in _PITCHES:
        written += f' pitch="{pitch}"'
    elif (percent := _PERCENT.match(pitch)) and percent[1]:
        written += f' pitch="{percent[1]}{min(int(percent[2]), 50)}%"'
    return written


def _with_aliases(pieces: list[Piece]) -> Iterator[Piece]:
    """Put in place of a `sub` element what its alias says, and drop what it holds."""
    depth = 0
    for piece in pieces:
        match piece:
            case Opening("sub", attributes, is_empty):
                if not depth:
                    yield Words(dict(attributes).get("alias", ""))
                depth += 0 if is_empty else 1
            case Closing("sub"):
                depth = max(depth - 1, 0)
            case _ if not depth:
                yield piece
            case _:
                pass


def _without_comments(text: str) -> str:
    """Take comments out. Not by the expression of tags, which would look for an end from every beginning."""
    kept: list[str] = []
    at = 0
    while (start := text.find("<!--", at)) >= 0 and (end := text.find("-->", start + 4)) >= 0:
        kept.append(text[at:start])
        at = end + 3
    return "".join(kept) + text[at:]


def _words(text: str) -> list[Piece]:
    return [Words(without_controls(html.unescape(text)))] if text else []
