"""What documents let through is what the command builder takes: nothing between the two checks again."""

from __future__ import annotations

from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st

from controlplane.esl.sip_uri import parse_sip_uri
from controlplane.esl.values import SipHeader, SipLogin, caller_number, digits, keys
from controlplane.verbs.dialling import parse_caller
from controlplane.verbs.documents import Dial, Document, Gather, Number, Play, Record, Sip
from controlplane.verbs.kinds import Unfit
from controlplane.verbs.sip import parse_sip
from controlplane.verbs.specs import SPECS
from controlplane.verbs.twiml import __doc__ as table
from tests.unit.verbs.strategies import documents

DETECTION = {21234, 21262}


@given(documents)
def test_every_value_that_reaches_a_command_can_stand_in_one(document: Document) -> None:
    for verb in document.verbs:
        match verb:
            case Play(digits=sent) if sent:
                digits(sent)
            case Gather(finish_key=key):
                keys(key)
            case Record(finish_keys=some):
                keys(some)
            case Dial(targets=targets, caller_id=caller):
                _ = caller and caller_number(caller)
                for target in targets:
                    _reaches_a_dial_string(target)


def _reaches_a_dial_string(target: Number | Sip) -> None:
    if target.send_digits:
        digits(target.send_digits)
    if isinstance(target, Sip):
        assert str(parse_sip_uri(target.uri)) == target.uri
        for name, value in target.headers:
            SipHeader(name, value)
        if target.username:
            SipLogin(target.username, target.password)


@given(st.text("sip:aB0.-_~*+!@;=?&%tranporcl:X()/#", max_size=60).map("sip:a@b".__add__))
def test_every_address_that_is_read_can_be_dialled(text: str) -> None:
    with suppress(Unfit):
        address = parse_sip(text)
        _reaches_a_dial_string(Sip(address.uri, address.headers))


@given(st.text(max_size=70) | st.text("+1234567890-_.()client: ab", max_size=20))
def test_every_caller_that_is_read_can_be_shown(text: str) -> None:
    with suppress(Unfit):
        caller_number(parse_caller(text))


def test_the_table_of_faults_tells_every_number_of_every_verb() -> None:
    codes = {row.code for spec in SPECS.values() for row in spec.rows} - DETECTION

    assert [code for code in sorted(codes) if str(code) not in str(table)] == []
