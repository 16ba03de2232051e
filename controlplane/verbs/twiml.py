"""TwiML: elements to verbs.

What is done about what is wrong, by the reference's numbers. "Fault" refuses the document, which is the fallback URL's
turn; all else are warnings, and the document goes on. (In JSON all of these but 12200 and 32110 are faults.)

    document   not XML 12100, XML version 12101, another root 12102, size 11750, empty 11770          fault
               unknown verb, attribute or text; verb or target of a later release 12200               passed over
               attribute without effect yet (machineDetection, byoc, callReason, events, passports,
               recordingConfigurationId, debug): 12200, or its own number where its value is unfit    passed over
    URLs       action, Redirect, Play, url, referUrl: not http(s), or no host 11100                   fault
               callbacks: recordingStatusCallback 13256, transcribeCallback 13257,
               partialResultCallback 13329, statusCallback 11100                                      no callback
               relative in a document without URL, empty Redirect there: 15004; Play, url: 11100      fault
    Say        no text 13520, more than its voice can say 13521                                       verb left out
               voice 13511, language 13512, loop 13510                                                default
               unknown SSML element (its words stay) or attribute 13520                               passed over
    Play       neither URL nor digits 12200                                                           verb left out
               loop 13410, digits 13430                                                               default
    Pause      length 13910                                                                           default
    Gather     method 13312, input 13326, timeout 13313, finishOnKey 13310, numDigits 13314,
               actionOnEmptyResult 13338, language 13331                                              default
               speechTimeout 13327, with a speechModel 13335, speechModel 13334, hints 13330,
               maxSpeechTime 13328, profanityFilter 13333, bargeIn 13332, enhanced 12200              passed over
               a verb that may not be inside 13320, a Play with digits 13430                          verb left out
    Record     method 13610, timeout 13611, finishOnKey 13613, maxLength 13612, playBeep 13616,
               trim 13699, recordingStatusCallbackEvent 13621, transcribe 13614                       default
               maxLength of more than 120 s with transcribe 13615                                     not transcribed
    Dial       no target that can be dialled (13215, or the number of the last one left out)          fault
               method 13210, timeout 13212, timeLimit 13216, hangupOnStar 13213, callerId 13214,
               record 13217, trim 13699, recordingTrack 13622, answerOnBridge 13219, ringTone 13220,
               sequential 13218, recordingStatusCallbackEvent 13621                                   default
               more than ten targets, or what is none 13215; referMethod without referUrl 13802       passed over
    Number     not a number in E.164 13223                                                            target left out
               11 to 15 digits without the plus sign 13223                                            taken for one with
               sendDigits 13222, method, statusCallbackMethod 13221, statusCallbackEvent 12200        default
    Sip        not an address 13243                                                                   target left out
               parameter of the address 32110, header name 13252, value 32112, too long 13253, too
               many 13251, several Uri 13250, one of username and password 13249                      passed over
               sendDigits 13242, method, statusCallbackMethod 13241, statusCallbackEvent 12200        default
    Redirect   method 13710                                                                           default
    Reject     reason 13810                                                                           default

An empty `action` is none; for Gather and Record that is the document's own URL.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any
from xml.etree.ElementTree import Element

from controlplane.verbs.documents import Document
from controlplane.verbs.errors import DocumentError
from controlplane.verbs.kinds import Unfit
from controlplane.verbs.reading import MAX_DEPTH, TOO_LARGE, UNKNOWN, Amiss, Notes, Outcome, short, too_many_verbs
from controlplane.verbs.rows import Body, Built, Children, Row, Spec, Table, Values
from controlplane.verbs.specs import HEADER, SPECS, URI, VERBS
from controlplane.verbs.ssml import BAD_TEXT, speech_of
from controlplane.verbs.urls import is_relative
from controlplane.verbs.xmltree import ROOT, Tree, depth_of, parse_xml

_SPEECH, _NOTHING, _ADDRESS = Body.SPEECH, Body.NOTHING, Body.ADDRESS
_DEEPEST_VERB = 5  # what is passed over has at most Response, Dial, Sip, Headers, Header around it


def parse_twiml(body: bytes, *, has_url: bool, charset: str = "utf-8") -> Document:
    """Read a TwiML document; `has_url` says that relative URLs mean something. Raises DocumentError."""
    return _TwimlReader(parse_xml(body, charset), has_url=has_url).read()


class _TwimlReader:
    """One reading of one document. `_element` is the one being read, of which faults and warnings tell."""

    __slots__ = ("_element", "_notes", "_tree", "has_url")

    def __init__(self, tree: Tree, *, has_url: bool) -> None:
        self._tree, self.has_url = tree, has_url
        self._notes = Notes()
        self._element = tree.root

    def read(self) -> Document:
        root = self._tree.root
        for name, _ in root.items():
            self._warn(f"@{name}", "is not known", UNKNOWN)
        if root.text and not root.text.isspace():
            self._warn("", "has text outside of its verbs, which is passed over", UNKNOWN)
        verbs: list[Any] = self._children(root, VERBS, UNKNOWN)
        return Document(tuple(verbs), tuple(self._notes.warnings))

    def unfit(self, field: str, problem: str, code: int) -> None:
        """See Reader: TwiML takes the default."""
        self.note(field, problem, code)

    def note(self, field: str, problem: str, code: int) -> None:
        """See Reader."""
        if not self._notes.is_full:
            self._warn(self._at(field), problem, code)

    def _children(self, parent: Element, table: Table, code: int) -> list[Built]:
        if self._notes.is_over(len(parent)):
            raise too_many_verbs(ROOT)
        by_tag, built = table.by_tag, []
        for element in parent:
            spec = by_tag.get(element.tag)
            if spec is None:
                self._element = parent
                self._pass_over(element, table.later, code if element.tag in SPECS else UNKNOWN)
            else:
                self._element = element
                try:
                    built.append(spec.build(self._values(element, spec), self))
                except Amiss as amiss:
                    self._amiss(amiss)
            if (tail := element.tail) and not tail.isspace():
                self._element = parent
                self._warn("", "has text outside of its verbs, which is passed over", UNKNOWN)
        self._element = parent
        return built

    def _values(self, element: Element, spec: Spec) -> Values:
        values: Values = {}
        by_attribute = spec.by_attribute
        for name, text in element.items():
            row = by_attribute.get(name)
            if row is None:
                self._take_without_effect(spec.without_effect.get(name), name, text)
            elif text in row.usual and not row.group:
                values[row.member] = row.usual[text]
            else:
                self._take(row, text, values)
        body = spec.body
        if body is _SPEECH:
            if len(element):
                self._markup(element, values)
            else:
                values["text"] = (element.text or "").strip()
        elif body is _NOTHING:
            if element.text or len(element):
                self._inside(element, spec.children, values)
        elif body is _ADDRESS and len(element):
            self._address(element, values)
        else:
            self._text(element, spec, values)
        return values

    def _take(self, row: Row, text: str, values: Values) -> None:
        try:
            value = row.kind.from_text(text)
        except Unfit as unfit:
            if row.outcome is not Outcome.DEFAULT:
                raise Amiss(row.field, str(unfit), row.code, row.outcome) from None
            return self.note(row.field, str(unfit), row.code)
        if not self.has_url and row.no_base and value and is_relative(value):
            raise Amiss(row.field, "must be absolute: this document has no URL", row.no_base, Outcome.FAULT)
        if row.group:
            values.setdefault(row.group, {})[row.member] = value
        else:
            values[row.member] = value
        return None

    def _take_without_effect(self, row: Row | None, name: str, text: str) -> None:
        if row is None:
            return self._warn(f"@{name}", "is not known", UNKNOWN)
        try:
            row.kind.from_text(text)
        except Unfit as unfit:
            return self._warn(f"@{name}", str(unfit), row.code)
        return self._warn(f"@{name}", "has no effect yet", UNKNOWN)

    def _markup(self, element: Element, values: Values) -> None:
        self._verify_depth(element)
        values["text"], is_markup = speech_of(element, self._complain)
        if is_markup:
            values["markup"] = True

    def _text(self, element: Element, spec: Spec, values: Values) -> None:
        text = element.text or ""
        for child in element:
            self._pass_over(child)
            text += child.tail or ""
        if spec.text is not None and (text := text.strip()):
            self._take(spec.text, text, values)

    def _inside(self, element: Element, children: Children | None, values: Values) -> None:
        text = element.text
        if children is None:
            for child in element:
                self._pass_over(child)
        else:
            values[children.field] = self._children(element, children.specs, children.code)
            if text and children.text is not None and not len(element) and not text.isspace():
                values[children.field] = self._plain(children.text, text)
                return
        if text and not text.isspace():
            self._warn("", "has text inside, which is passed over", UNKNOWN)

    def _plain(self, spec: Spec, text: str) -> list[Built]:
        """The one target that the text of a Dial is, if it is one."""
        try:
            return [spec.build({"number": text}, self)]
        except Amiss as amiss:
            self._amiss(amiss)
            return []

    def _address(self, element: Element, values: Values) -> None:
        uris: list[Values] = []
        headers: list[tuple[str, str]] = []
        for child in element:
            match child.tag:
                case "Uri":
                    uris.append(self._part(child, URI))
                case "Headers":
                    headers.extend(self._headers(child))
                case _:
                    self._pass_over(child)
        if len(uris) > 1:
            self.note("uri", "has several Uri; only the first by priority is dialled", 13250)
        first = min(uris, key=lambda uri: (uri.pop("priority", 0), -uri.pop("weight", 0)), default={})
        values |= {"headers": headers, "uri": (element.text or "").strip()} | first

    def _headers(self, element: Element) -> Iterator[tuple[str, str]]:
        outer, self._element = self._element, element
        for child in element:
            if child.tag == HEADER.tag:
                values = self._part(child, HEADER)
                yield values.get("name", ""), values.get("value", "")
            else:
                self._pass_over(child)
        self._element = outer

    def _part(self, element: Element, spec: Spec) -> Values:
        outer, self._element = self._element, element
        values = self._values(element, spec)
        self._element = outer
        return values

    def _pass_over(self, element: Element, later: frozenset[str] = frozenset(), code: int = UNKNOWN) -> None:
        self._verify_depth(element)
        outer, self._element = self._element, element
        if element.tag in later:
            self._warn("", "is not supported yet; it is passed over", UNKNOWN)
        else:
            self._warn("", "is not known here; it is passed over", code)
        self._element = outer

    def _amiss(self, amiss: Amiss) -> None:
        if amiss.outcome is not Outcome.FAULT:
            return self._warn(self._at(amiss.field), f"{amiss.problem}; it is passed over", amiss.code)
        path, line, last = self._path(self._at(amiss.field)), self._line(), self._notes.warnings[-1:]
        if amiss.field == "targets" and last and last[0].path.startswith(path):
            raise DocumentError(path, f"{amiss.problem}: {last[0].path} {last[0].problem}", last[0].code, line)
        raise DocumentError(path, amiss.problem, amiss.code, line)

    def _verify_depth(self, element: Element) -> None:
        depth = depth_of(element)
        if depth + _DEEPEST_VERB > MAX_DEPTH and len(self._tree.trail_of(element)) - 1 + depth > MAX_DEPTH:
            problem = f"has more than {MAX_DEPTH} elements inside each other"
            raise DocumentError(self._path(), problem, TOO_LARGE, self._line())

    def _complain(self, element: Element, attribute: str, problem: str) -> None:
        if not self._notes.is_full:
            where = f"/{short(element.tag)}" + (f"@{attribute}" if attribute else "")
            self._notes.warn(self._path(where), problem, BAD_TEXT, self._tree.line_of(element))

    def _at(self, field: str) -> str:
        rows = SPECS[self._element.tag].by_field
        row = rows.get(field) or rows.get(f"{field}.url")
        return f"@{row.twiml}" if row is not None and row.twiml else ""

    def _warn(self, where: str, problem: str, code: int) -> None:
        if not self._notes.is_full:
            self._notes.warn(self._path(where), problem, code, self._line())

    def _line(self) -> int:
        return self._tree.line_of(self._element)

    def _path(self, where: str = "") -> str:
        """Name the element being read: each by its place among those of its name, from 1, as XPath does."""
        steps = []
        for parent, element in pairwise(self._tree.trail_of(self._element)):
            same = (each for each in parent if each.tag == element.tag)
            place = next(place for place, each in enumerate(same, 1) if each is element)
            steps.append(f"{short(element.tag)}[{place}]")
        return ("/".join(steps) or ROOT) + short(where)
