"""Bytes to a tree of elements, with everything hostile refused before or while it is read.

A document type (and with it every entity, external or internal), encodings other than the plain ones, more tags than a
document can need, and NUL are refused by looking at the bytes, before a parser is made. What is left is read by expat:
it has no network, no files and, without a document type, no entities but the five of XML and character references.

lxml parses faster, but libxml2 keeps every name of an element or attribute that it ever saw in a dictionary of the
thread, for as long as the thread lives: a tenant's documents of 57 kB of made-up names cost 130 kB of memory each, for
good. expat's names go with the parser (decision 0003).
"""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers.expat import ErrorString, ExpatError, ParserCreate

from controlplane.verbs.errors import DocumentError
from controlplane.verbs.reading import TOO_LARGE

ROOT = "Response"
MAX_TAGS = 5_000  # 1,000 verbs have 2,000 tags; the rest is for speech markup. Read in less than a millisecond

UNPARSEABLE = 12100
_XML_VERSION = 12101
WRONG_ROOT = 12102

_USUAL_DECLARATION = b'<?xml version="1.0" encoding="UTF-8"?>'
_DECLARATION = re.compile(
    rb"<\?xml[ \t\r\n]+version[ \t\r\n]*=[ \t\r\n]*(?:'([^'\"<>]*)'|\"([^'\"<>]*)\")"
    rb"(?:[ \t\r\n]+encoding[ \t\r\n]*=[ \t\r\n]*(?:'([^'\"<>]*)'|\"([^'\"<>]*)\"))?[^<>?]*\?>"
)
ENCODINGS = {
    "utf-8": "utf-8",
    "utf8": "utf-8",
    "us-ascii": "us-ascii",
    "ascii": "us-ascii",
    "iso-8859-1": "iso-8859-1",
    "latin1": "iso-8859-1",
}
_BOM = b"\xef\xbb\xbf"
_IN_OUR_WORDS = {
    "not well-formed (invalid token)": "invalid token (often an & or < that must be written &amp; or &lt;)",
    "undefined entity": "undefined entity (known are &amp; &lt; &gt; &quot; &apos; and numbers such as &#233;)",
    "no element found": "it ends too early",
    "junk after document element": "something follows the end of the root element",
}


class Tree:
    """A parsed document. Elements know neither their lines nor their parents: both are looked for when asked for."""

    __slots__ = ("_body", "_encoding", "_lines", "_parents", "root")

    def __init__(self, root: Element, body: bytes, encoding: str) -> None:
        self.root, self._body, self._encoding = root, body, encoding
        self._lines: dict[int, int] = {}
        self._parents: dict[Element, Element] = {}

    def trail_of(self, element: Element) -> list[Element]:
        """The elements from the root down to this one, both counted."""
        if not self._parents:
            self._parents = {child: parent for parent in self.root.iter() for child in parent}
        trail = [element]
        while trail[-1] is not self.root:
            trail.append(self._parents[trail[-1]])
        return trail[::-1]

    def line_of(self, element: Element) -> int:
        """The line on which an element of this tree begins, from 1."""
        if not self._lines:
            lines: list[int] = []
            parser = ParserCreate(self._encoding)
            parser.StartElementHandler = lambda _name, _attributes: lines.append(parser.CurrentLineNumber)
            parser.Parse(self._body, True)
            self._lines = {id(each): line for each, line in zip(self.root.iter(), lines, strict=True)}
        return self._lines[id(element)]


def parse_xml(body: bytes, charset: str = "utf-8", *, expected_root: str = ROOT) -> Tree:
    """Read a document whose root is Response, or another that is asked for.

    `charset` is what the Content-Type said (a key of ENCODINGS); a byte order mark or an XML declaration in the
    document wins over it. Raises DocumentError: 12100 unparseable, 12101 XML version, 12102 root.
    """
    if body.startswith(_BOM):
        body, charset = body[3:], "utf-8"
    _refuse_by_bytes(body)
    encoding = _encoding(body, charset)
    builder = TreeBuilder()
    parser = ParserCreate(encoding)
    parser.buffer_text = True
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.data
    try:
        parser.Parse(body, True)
    except ExpatError as error:
        raise _unparseable(error, body, encoding) from None
    root = builder.close()
    if root.tag != expected_root:
        raise DocumentError(ROOT, f"the root element must be {expected_root}, not {root.tag[:40]!a}", WRONG_ROOT, 1)
    return Tree(root, body, encoding)


def depth_of(element: Element) -> int:
    """How many elements there are one inside the other, this one counted."""
    depth, level = 0, [element]
    while level:
        depth += 1
        level = [child for each in level for child in each]
    return depth


def _refuse_by_bytes(body: bytes) -> None:
    if not body.startswith(b"<"):
        _refuse_beginning(body)
    if b"\0" in body:
        raise _fault("holds a NUL byte; documents are written in UTF-8")
    if body.count(b"<") > MAX_TAGS:
        raise DocumentError(ROOT, f"has more than {MAX_TAGS} tags", TOO_LARGE)
    if b"<!DOCTYPE" in body:
        raise _fault("has a document type (DOCTYPE), which is refused")


def _refuse_beginning(body: bytes) -> None:
    start = body.lstrip()
    if body.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in body[:4]:
        raise _fault("is written in UTF-16 or UTF-32; write it in UTF-8")
    if start.startswith(b"<?xml"):
        raise _fault("has white space before the XML declaration")
    if not start.startswith(b"<"):
        raise _fault("is not XML")


def _encoding(body: bytes, charset: str) -> str:
    if body.startswith(_USUAL_DECLARATION):
        return "utf-8"
    if not body.startswith(b"<?xml"):
        return charset
    declaration = _DECLARATION.match(body)
    if declaration is None:
        raise _fault("has an XML declaration that cannot be read")
    version = declaration[1] or declaration[2]
    if version != b"1.0":
        raise DocumentError(ROOT, f"has XML version {str(version, 'latin-1')!a}, not 1.0", _XML_VERSION, 1)
    name = declaration[3] or declaration[4]
    if name is None:
        return charset
    encoding = ENCODINGS.get(str(name, "latin-1").lower())
    if encoding is None:
        raise _fault(f"says its encoding is {str(name, 'latin-1')[:40]!a}; write it in UTF-8")
    return encoding


def _fault(problem: str) -> DocumentError:
    return DocumentError(ROOT, problem, UNPARSEABLE, 1)


def _unparseable(error: ExpatError, body: bytes, encoding: str) -> DocumentError:
    reason = ErrorString(error.code)
    try:
        body.decode(encoding)
        problem = f"{_IN_OUR_WORDS.get(reason, reason)}, at character {error.offset + 1}"
    except UnicodeDecodeError:
        problem = f"it has bytes that are not {encoding}"
    return DocumentError(ROOT, f"is not well-formed XML: {problem}", UNPARSEABLE, error.lineno)
