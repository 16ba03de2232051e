"""Our JSON: the verbs of TwiML with the names of `documents`.

    {"verbs": [
        {"say": "Welcome."},
        {"gather": {"num_digits": 1, "timeout_s": 5, "action": {"url": "/menu", "method": "POST"},
                    "prompts": [{"say": {"text": "Press one for sales.", "voice": "alice"}}]}},
        {"dial": {"targets": ["+15550001111", {"sip": {"uri": "sip:desk@example.com", "headers": {"X-Queue": "1"}}}],
                  "status_callback": "https://…"}},
        {"hangup": {}}
    ]}

A document is such an object or the list alone. A verb is an object with one key. A string in the place of its object
is its text, URL or address; a string in the place of a link or callback is its URL; null is as good as absent.

It is strict where TwiML is forgiving: whatever TwiML answers with a warning and a default is a fault here, and types
are what they are ("5" is no number). Only keys and verbs that are not known are warnings (12200), so that a document
written for a later release runs on an earlier one. Faults name their place: `verbs[0].gather.timeout_s`.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, NoReturn, TypeAlias
from xml.etree.ElementTree import Element

from controlplane.verbs.documents import Document
from controlplane.verbs.errors import DocumentError
from controlplane.verbs.kinds import Json, Unfit, json_type, shown
from controlplane.verbs.reading import MAX_DEPTH, TOO_LARGE, UNKNOWN, Amiss, Notes, short, too_many_verbs
from controlplane.verbs.rows import Body, Built, Row, Spec, Table, Values
from controlplane.verbs.specs import SIP, VERBS
from controlplane.verbs.ssml import BAD_TEXT, speech_of
from controlplane.verbs.urls import is_relative
from controlplane.verbs.xmltree import MAX_TAGS, UNPARSEABLE, WRONG_ROOT, depth_of, parse_xml

# Objects are read as their pairs, so that making one calls nothing of Python's own; see `_members`.
Pairs: TypeAlias = tuple[tuple[str, Json], ...]

_WHOLE = "document"
_NESTED = (tuple, list)


def parse_json(body: bytes, *, has_url: bool) -> Document:
    """Read a JSON document; `has_url` says that relative URLs mean something. Raises DocumentError."""
    return _JsonReader(has_url=has_url).read(_loads(body))


def _loads(body: bytes) -> Json:
    if body.count(b"{") + body.count(b"[") > MAX_TAGS:
        raise DocumentError(_WHOLE, f"has more than {MAX_TAGS} objects and lists", TOO_LARGE)
    try:
        text = str(body.removeprefix(b"\xef\xbb\xbf"), "utf-8")
        return json.loads(text, object_pairs_hook=tuple, parse_constant=_refuse_constant)
    except UnicodeDecodeError:
        raise DocumentError(_WHOLE, "is not UTF-8", UNPARSEABLE) from None
    except json.JSONDecodeError as error:
        raise DocumentError(_WHOLE, f"is not JSON: {error.msg}", UNPARSEABLE, error.lineno) from None
    except (RecursionError, ValueError):
        raise DocumentError(
            _WHOLE, "is not JSON that can be read: too deep, or too long a number", UNPARSEABLE
        ) from None


def _members(pairs: Pairs) -> dict[str, Json]:
    members = dict(pairs)
    if len(members) == len(pairs):
        return members
    twice = Counter(name for name, _ in pairs).most_common(1)[0][0]
    raise DocumentError(_WHOLE, f"has the key {shown(twice)} twice in one object", UNPARSEABLE)


def _once(pairs: Pairs) -> Iterable[tuple[str, Json]]:
    """The members of an object, of which none may be there twice."""
    return pairs if len(pairs) < 2 else _members(pairs).items()


def _plain(value: Json) -> Json:
    """A value as json.loads would make it."""
    if type(value) is tuple:
        return {name: _plain(each) for name, each in _members(value).items()}
    return [_plain(each) for each in value] if type(value) is list else value


def _refuse_constant(name: str) -> NoReturn:
    raise DocumentError(_WHOLE, f"is not JSON: {name}", UNPARSEABLE)


class _JsonReader:
    """One reading of one document. `_trail` leads to what is read: a list's name, the place there, a verb's key."""

    __slots__ = ("_notes", "_trail", "has_url")

    def __init__(self, *, has_url: bool) -> None:
        self.has_url = has_url
        self._notes = Notes()
        self._trail: list[tuple[str, int, str | None]] = []

    def read(self, document: Json) -> Document:
        """The verbs of a document of which json.loads made lists, tuples of pairs and plain values."""
        name = ""
        if type(document) is tuple:
            members = _members(document)
            if "verbs" not in members:
                raise DocumentError(_WHOLE, "must be a list of verbs, or an object with the key verbs", WRONG_ROOT)
            document, name = members.pop("verbs"), "verbs"
            for key, value in members.items():
                self._pass_over(key, value)
        if not isinstance(document, list):
            raise DocumentError(name or _WHOLE, f"must be a list of verbs, not {json_type(document)}", WRONG_ROOT)
        verbs: list[Any] = self._list(document, name, VERBS)
        return Document(tuple(verbs), tuple(self._notes.warnings))

    def unfit(self, field: str, problem: str, code: int) -> NoReturn:
        """See Reader: JSON is strict."""
        raise DocumentError(self._path(field), problem, code)

    def note(self, field: str, problem: str, code: int) -> None:
        """See Reader."""
        self._notes.warn(self._path(field), problem, code)

    def _list(self, items: list[Json], name: str, table: Table, text: Spec | None = None) -> list[Built]:
        if self._notes.is_over(len(items)):
            raise too_many_verbs(_WHOLE)
        built: list[Built] = []
        for index, item in enumerate(items):
            self._trail.append((name, index, None))
            key, payload = self._verb(item, name, index, text)
            spec = table.by_key.get(key)
            if spec is None:
                self._pass_over("", payload, "is not known; it is passed over")
            elif type(payload) is tuple:
                built.append(self._built(spec, payload))
            elif spec.text is not None and isinstance(payload, str):
                built.append(self._built(spec, ((spec.text.field, payload),)))
            else:
                self.unfit("", f"must be an object, not {json_type(payload)}", UNPARSEABLE)
            self._trail.pop()
        return built

    def _verb(self, item: Json, name: str, index: int, text: Spec | None) -> tuple[str, Json]:
        """The key of a verb, or of what a string stands for in this place, and what belongs to it."""
        if isinstance(item, str) and text is not None:
            return (SIP if item[:4].lower() in ("sip:", "sips") else text).key, item
        if type(item) is not tuple or len(item) != 1:
            self.unfit("", 'must be an object with one key, such as {"say": "Hello"}', UNPARSEABLE)
        self._trail[-1] = (name, index, item[0][0])
        verb: tuple[str, Json] = item[0]
        return verb

    def _built(self, spec: Spec, payload: Pairs) -> Built:
        try:
            return spec.build(self._values(spec, payload), self)
        except Amiss as amiss:
            self.unfit(amiss.field, amiss.problem, amiss.code)

    def _values(self, spec: Spec, payload: Pairs) -> Values:
        values: Values = {}
        children, by_field = spec.children, spec.by_field
        for key, value in _once(payload):
            row = by_field.get(key)
            if value is None:
                continue
            if row is not None:
                self._take(row, value, values)
            elif children is not None and key == children.field:
                if not isinstance(value, list):
                    self.unfit(key, f"must be a list, not {json_type(value)}", children.code)
                values[key] = self._list(value, key, children.specs, children.text)
            elif key in spec.groups:
                self._group(key, spec.groups[key], value, values)
            else:
                self._pass_over(key, value)
        if spec.body is Body.SPEECH and values.pop("markup", False):
            self._markup(values)
        return values

    def _group(self, key: str, members: Mapping[str, Row], value: Json, values: Values) -> None:
        if isinstance(value, str) and "url" in members:
            return self._take(members["url"], value, values)
        if type(value) is not tuple:
            expected = "a URL or an object" if "url" in members else "an object"
            self.unfit(key, f"must be {expected}, not {json_type(value)}", next(iter(members.values())).code)
        for name, each in _once(value):
            row = members.get(name)
            if row is None:
                self._pass_over(f"{key}.{name}", each)
            elif each is not None:
                self._take(row, each, values)
        return None

    def _take(self, row: Row, value: Json, values: Values) -> None:
        try:
            checked = row.kind.from_json(_plain(value) if type(value) in _NESTED else value)
        except Unfit as unfit:
            self.unfit(row.field, str(unfit), row.code)
        if not self.has_url and row.no_base and checked and is_relative(checked):
            self.unfit(row.field, "must be absolute: this document has no URL", row.no_base)
        if row.group:
            values.setdefault(row.group, {})[row.member] = checked
        else:
            values[row.member] = checked

    def _pass_over(self, field: str, value: Json, problem: str = "is not known") -> None:
        _plain(value)  # a key that is there twice is a fault wherever it is
        self.note(field, problem, UNKNOWN)

    def _markup(self, values: Values) -> None:
        try:
            # On a line of its own, so that the place a fault names is the one in the text.
            root = parse_xml(f"<Say>\n{values.get('text', '')}</Say>".encode(), expected_root="Say").root
        except DocumentError as error:
            self.unfit("text", error.problem, BAD_TEXT)
        if depth_of(root) + 1 > MAX_DEPTH:
            self.unfit("text", f"has more than {MAX_DEPTH} elements inside each other", BAD_TEXT)
        values["text"], is_markup = speech_of(root, self._complain)
        if is_markup:
            values["markup"] = True

    def _complain(self, element: Element, attribute: str, problem: str) -> None:
        self.unfit("text", f"{short(element.tag)}{'@' + attribute if attribute else ''} {problem}", BAD_TEXT)

    def _path(self, field: str) -> str:
        steps = [f"{name}[{index}]" + ("" if key is None else f".{short(key)}") for name, index, key in self._trail]
        return ".".join(filter(None, (*steps, short(field)))) or _WHOLE
