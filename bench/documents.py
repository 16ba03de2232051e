"""How many documents are read a second, every check included, against parsers that check nothing.

The aim is a quarter of what lxml does alone, which hands out its tree without having made a Python object of it. The
official builder makes a document of the same verbs and writes it; ours reads it, checks it and writes it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial

from lxml import etree
from twilio.twiml.voice_response import VoiceResponse

from bench.measurement import Measurement, print_all, rates
from controlplane.verbs.documents import Document, Gather
from controlplane.verbs.parsing import parse_document
from controlplane.verbs.writing import to_json, to_twiml
from controlplane.wiring.loops import collect_seldom

URL = "https://app.example/voice"
MOST_BYTES = 200_000
ROUND_BYTES = 400_000

SMALL = (
    b'<?xml version="1.0" encoding="UTF-8"?><Response><Gather action="/menu" numDigits="1" timeout="5">'
    b'<Say voice="alice">Welcome. Press one for sales, two for support.</Say></Gather><Say>No key came.</Say>'
    b"<Hangup /></Response>\n\n"
)
MENUS = {"4_kb": 8, "99_kb": 200}
ROUND_TRIPS = {"500_bytes": 1, **MENUS}
CHOICES = (
    "Press one to speak with sales, two for help with something you bought from us, three for invoices and payments, "
    "four to hear our opening hours and where to find us, or nine to hear all of this again."
)


def built(menus: int) -> str:
    """A document of so many menus, about 500 bytes each, of five verbs."""
    response = VoiceResponse()
    for menu in range(menus):
        gather = response.gather(num_digits=1, timeout=5, action=f"{URL}?menu={menu}")
        gather.say(f"This is menu {menu}. {CHOICES}", voice="alice")
        response.play(f"https://app.example/prompts/{menu}.wav", loop=2)
        response.pause(length=2)
        response.say("We did not hear a key. Please try again, or hold the line for one of our agents.")
    return str(response)


def measure() -> Iterator[Measurement]:
    """Read TwiML and JSON of three sizes; read and write against the builder."""
    collect_seldom()  # as in every process of ours
    for name, body in {"223_bytes": SMALL, **{name: built(menus).encode() for name, menus in MENUS.items()}}.items():
        document = read(body, "text/xml")
        text = to_json(document).encode()
        agree(document, body, text)
        parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False, load_dtd=False)
        yield _against(
            f"twiml_read_{name}", len(body), partial(read, body, "text/xml"),
            "lxml parse alone", partial(etree.fromstring, body, parser), "ratio 0.25 or more",
        )  # fmt: skip
        yield _against(
            f"json_read_{name}", len(text), partial(read, text, "application/json"),
            "json.loads alone", partial(json.loads, text),
        )  # fmt: skip
    for name, menus in ROUND_TRIPS.items():
        body = built(menus).encode()
        yield _against(
            f"twiml_read_and_written_{name}", len(body), partial(_read_and_written, body),
            "official builder", partial(built, menus),
        )  # fmt: skip


def read(body: bytes, content_type: str) -> Document:
    """Read a document that may be larger than a tenant's."""
    return parse_document(body, content_type, max_bytes=MOST_BYTES, source_url=URL)


def _read_and_written(body: bytes) -> str:
    return to_twiml(read(body, "text/xml"))


def agree(document: Document, body: bytes, text: bytes) -> None:
    """All must find the same verbs, or the times say nothing."""
    verbs = sum(1 + len(verb.prompts) if isinstance(verb, Gather) else 1 for verb in document.verbs)
    if document.warnings or verbs != len(list(etree.fromstring(body).iter())) - 1:
        raise AssertionError("lxml finds other verbs")
    if read(text, "application/json") != document:
        raise AssertionError("JSON holds other verbs")


def _against(
    name: str, size_bytes: int, ours: Callable[[], object], peer: str, theirs: Callable[[], object], aim: str = ""
) -> Measurement:
    count = max(1, ROUND_BYTES // size_bytes)
    sides = partial(_repeat, count, ours), partial(_repeat, count, theirs)
    return rates(name, count, "documents/s", peer, *sides, aim or None)


def _repeat(count: int, work: Callable[[], object]) -> None:
    for _ in range(count):
        work()


if __name__ == "__main__":
    print_all(measure())
