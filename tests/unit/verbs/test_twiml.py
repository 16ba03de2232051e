"""TwiML to verbs: what is taken, what is passed over with a warning, what refuses the document."""

from __future__ import annotations

from controlplane.base.e164 import E164
from controlplane.verbs.documents import (
    Dial,
    Document,
    Gather,
    Hangup,
    Link,
    Number,
    Say,
    Sip,
    StatusCallback,
    StatusEvent,
    Warn,
)
from controlplane.verbs.parsing import parse_document


def twiml(inside: str, source_url: str | None = "https://app.example/voice") -> Document:
    return parse_document(f"<Response>{inside}</Response>".encode(), "text/xml", source_url=source_url)


def test_a_menu_is_read_with_its_defaults_filled_in() -> None:
    document = twiml(
        '<Gather action="/menu" numDigits="1"><Say voice="alice">Press one.</Say></Gather>'
        "<Say>We did not hear a key.</Say><Hangup/>"
    )

    assert document == Document(
        (
            Gather(prompts=(Say("Press one.", voice="alice"),), action=Link("/menu"), num_digits=1),
            Say("We did not hear a key."),
            Hangup(),
        )
    )


def test_several_targets_are_read_in_order() -> None:
    document = twiml(
        '<Dial timeout="20"><Number statusCallback="/told" statusCallbackEvent="ringing answered">+15550001111</Number>'
        "<Sip>sip:desk@pbx.example;transport=tls?X-Queue=front%20desk</Sip></Dial>"
    )

    events = frozenset({StatusEvent.RINGING, StatusEvent.ANSWERED})
    assert document == Document(
        (
            Dial(
                (
                    Number(E164("+15550001111"), status_callback=StatusCallback(Link("/told"), events)),
                    Sip("sip:desk@pbx.example;transport=tls", (("X-Queue", "front desk"),)),
                ),
                timeout_s=20,
            ),
        )
    )


def test_what_is_not_known_is_passed_over_with_a_warning() -> None:
    document = twiml('\n<Say tone="low">Hello.</Say>\n<Sing/>\n<Enqueue>front desk</Enqueue>')

    assert document == Document(
        (Say("Hello."),),
        (
            Warn("Say[1]@tone", "is not known", 12200, 2),
            Warn("Sing[1]", "is not known here; it is passed over", 12200, 3),
            Warn("Enqueue[1]", "is not supported yet; it is passed over", 12200, 4),
        ),
    )
