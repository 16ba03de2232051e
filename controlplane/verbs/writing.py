"""Documents back to text, in each dialect: what is default is left out, and reading it gives the same document.

Warnings are not written. Attributes and keys come in the order of the table of each verb.
"""

from __future__ import annotations

import json
from dataclasses import MISSING, Field, fields
from functools import cache
from typing import Any

from controlplane.verbs.documents import Document, Gather, Link, Record, RecordingCallback, Say, Sip, StatusCallback
from controlplane.verbs.kinds import Json
from controlplane.verbs.rows import Built, Spec, Values
from controlplane.verbs.specs import SPECS
from controlplane.verbs.ssml import escape, escape_attribute
from controlplane.verbs.xmltree import ROOT

_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>'


def to_twiml(document: Document) -> str:
    """Write a document as TwiML."""
    return f"{_DECLARATION}<{ROOT}>{''.join(map(_element, document.verbs))}</{ROOT}>"


def to_json(document: Document) -> str:
    """Write a document in our JSON."""
    return json.dumps({"verbs": [_object(verb) for verb in document.verbs]}, ensure_ascii=False)


def values_of(verb: Built) -> Values:
    """What a verb was built from, by Row.field, without what is default."""
    values: Values = {}
    for each in fields(verb):
        value = getattr(verb, each.name)
        if value != _default(each):
            _flatten(each.name, value, values)
    if isinstance(verb, Gather | Record):
        values.pop("method", None)
        if verb.action is None and verb.method != "POST":
            values |= {"action.url": "", "action.method": verb.method}
    if isinstance(verb, Record) and verb.transcribe_callback is not None:
        values["transcribe"] = verb.transcribe
    return values


def _flatten(name: str, value: Any, values: Values) -> None:
    match value:
        case Link(url, method):
            values[f"{name}.url"] = url
            if method != "POST":
                values[f"{name}.method"] = method
        case StatusCallback(link, events) | RecordingCallback(link, events):
            _flatten(name, link, values)
            if events != type(value)(link).events:
                values[f"{name}.events"] = events
        case tuple() if name == "speech":
            values |= {f"speech.{key}": text for key, text in value}
        case _:
            values[name] = value


@cache
def _default(each: Field[Any]) -> Any:
    return each.default if each.default_factory is MISSING else each.default_factory()


def _element(verb: Built) -> str:
    spec = SPECS[type(verb).__name__]
    values = values_of(verb)
    attributes = "".join(
        f' {row.twiml}="{escape_attribute(row.kind.to_text(values[row.field]))}"'
        for row in spec.rows
        if row.twiml and row.field in values
    )
    inside = _inside(verb, spec, values)
    return f"<{spec.tag}{attributes}>{inside}</{spec.tag}>" if inside else f"<{spec.tag}{attributes}/>"


def _inside(verb: Built, spec: Spec, values: Values) -> str:
    if spec.children is not None:
        return "".join(map(_element, values.get(spec.children.field, ())))
    if spec.text is None:
        return ""
    text = str(values.get(spec.text.field, ""))
    match verb:
        case Say(markup=True):
            return text
        case Sip(uri, headers) if headers:
            pairs = ((escape_attribute(name), escape_attribute(value)) for name, value in headers)
            inner = "".join(f'<Header name="{name}" value="{value}"/>' for name, value in pairs)
            return f"<Uri>{escape(uri)}</Uri><Headers>{inner}</Headers>"
        case _:
            return escape(text)


def _object(verb: Built) -> Json:
    spec = SPECS[type(verb).__name__]
    values = values_of(verb)
    written: dict[str, Json] = {}
    if spec.children is not None and spec.children.field in values:
        written[spec.children.field] = [_object(each) for each in values[spec.children.field]]
    for row in spec.rows:
        if row.field not in values:
            continue
        group, dot, member = row.field.partition(".")
        value = row.kind.to_json(values[row.field])
        if dot:
            written.setdefault(group, {})[member] = value
        else:
            written[row.field] = value
    return {spec.key: written}
