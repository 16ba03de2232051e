"""Dial strings: what the command builder writes is read back as it was meant."""

from __future__ import annotations

import pytest

from controlplane.base.causes import Cause
from controlplane.emulator.dialling import DialledTarget, DialPlan, address_of, parse_dial_string
from controlplane.esl import apps
from controlplane.esl.dialstring import DialledLeg, DialString, Order
from controlplane.esl.sip_uri import Endpoint, parse_sip_uri
from controlplane.esl.variables import Setting, Variable


def leg(user: str, name: str) -> DialledLeg:
    return DialledLeg(
        Endpoint("internal", parse_sip_uri(f"sip:{user}@192.0.2.9")),
        (Setting(Variable.CALLER_NAME, name), Setting(Variable.LEG_TIMEOUT_S, "9")),
        on_answer=(apps.sched_hangup(60, Cause.ALLOTTED_TIMEOUT),),
    )


@pytest.mark.parametrize("order", list(Order))
def test_what_the_builder_writes_is_read_as_it_was_meant(order: Order) -> None:
    settings = (Setting(Variable.ORIGINATE_TIMEOUT_S, "20"), Setting(Variable.IGNORE_EARLY_MEDIA, "true"))
    text = str(DialString((leg("a", "Front Desk"), leg("b", "Bob")), order, settings))
    targets = [
        DialledTarget(
            f"sofia/internal/sip:{user}@192.0.2.9",
            {
                "origination_caller_id_name": name,
                "leg_timeout": "9",
                "execute_on_answer_1": "sched_hangup +60 ALLOTTED_TIMEOUT",
            },
        )
        for user, name in (("a", "Front Desk"), ("b", "Bob"))
    ]
    plan = parse_dial_string(text)
    assert plan.variables == {"originate_timeout": "20", "ignore_early_media": "true"}
    assert [[target.variables for target in turn] for turn in plan.turns] == (
        [[target.variables for target in targets]]
        if order is Order.AT_ONCE
        else [[target.variables] for target in targets]
    )


def test_separators_inside_quotes_and_brackets_do_not_split() -> None:
    assert parse_dial_string("{^^;a=1,2;b='x|y'}[c='p,q']sofia/internal/u@h|error/USER_BUSY") == DialPlan(
        {"a": "1,2", "b": "x|y"},
        (
            (DialledTarget("sofia/internal/u@h", {"c": "p,q"}),),
            (DialledTarget("error/USER_BUSY", {}),),
        ),
    )


@pytest.mark.parametrize(
    ("endpoint", "address"),
    [
        ("sofia/internal/+15550001111@192.0.2.9:5060", "+15550001111"),
        ("sofia/internal/sip:agent@example.com;transport=tls", "agent"),
        ("sofia/gateway/carrier/+15550001111", "+15550001111"),
        ("error/USER_BUSY", "cause USER_BUSY"),
        ("carrier/x/1", "cause CHAN_NOT_IMPLEMENTED"),
        ("sofia/internal", "cause CHAN_NOT_IMPLEMENTED"),
    ],
)
def test_an_endpoint_says_whom_to_call(endpoint: str, address: str) -> None:
    found = address_of(endpoint)
    assert (f"cause {found}" if isinstance(found, str) else found[0]) == address


def test_a_party_is_known_by_number_uri_or_name() -> None:
    found = address_of("sofia/internal/sip:agent@example.com:5061;transport=tls")
    assert not isinstance(found, str)
    assert found[1] == ["sip:agent@example.com:5061", "sip:agent@example.com", "agent"]
