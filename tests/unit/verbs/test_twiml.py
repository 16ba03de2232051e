"""TwiML to verbs: what is taken, what is passed over with a warning, what refuses the document."""

from __future__ import annotations

import pytest

from controlplane.base.e164 import E164
from controlplane.verbs.documents import (
    Dial,
    Document,
    Gather,
    Hangup,
    Link,
    Number,
    Pause,
    Play,
    Record,
    Redirect,
    Say,
    Sip,
    StatusCallback,
    StatusEvent,
    Warn,
)
from controlplane.verbs.errors import DocumentError
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


def fault(inside: str, source_url: str | None = "https://app.example/voice") -> tuple[str, int]:
    with pytest.raises(DocumentError) as caught:
        twiml(inside, source_url)
    return caught.value.path, caught.value.code


@pytest.mark.parametrize(
    ("inside", "path", "code"),
    [
        ("<Say/>", "Say[1]", 13520),
        ("<Say> \n </Say>", "Say[1]", 13520),
        (f"<Say>{'a' * 4097}</Say>", "Say[1]", 13521),
        (f'<Say voice="Polly.Joanna">{"a" * 3001}</Say>', "Say[1]", 13521),
        (f'<Say voice="Google.en-US-Wavenet-A">{"a" * 5001}</Say>', "Say[1]", 13521),
        ("<Play/>", "Play[1]", 12200),
        ('<Play digits="x"/>', "Play[1]@digits", 13430),
    ],
)
def test_a_verb_without_its_essential_is_left_out(inside: str, path: str, code: int) -> None:
    document = twiml(inside + "<Hangup/>")

    assert document.verbs == (Hangup(),)
    assert (document.warnings[0].path, document.warnings[0].code) == (path, code)


@pytest.mark.parametrize(
    "inside",
    [
        f"<Say>{'a' * 4096}</Say>",
        f'<Say voice="Polly.Joanna">{"a" * 2990}<break time="1s"/>&amp;{"a" * 9}</Say>',
        f'<Say voice="Google.en-US-Wavenet-A">{"a" * 5000}</Say>',
        f"<Say>{'<p>' * 14}deep{'</p>' * 14}</Say>",
    ],
)
def test_speech_at_its_limits_is_said(inside: str) -> None:
    document = twiml(inside)

    assert len(document.verbs) == 1
    assert document.warnings == ()


@pytest.mark.parametrize(
    ("inside", "path", "code"),
    [
        ("<Dial/>", "Dial[1]", 13215),
        ("<Dial>5550001111</Dial>", "Dial[1]", 13223),
        ("<Dial><Number>0049</Number></Dial>", "Dial[1]", 13223),
        ("<Dial><Sip>alice</Sip></Dial>", "Dial[1]", 13243),
        ("<Dial><Sip/></Dial>", "Dial[1]", 13243),
        ("<Dial><Conference>room</Conference></Dial>", "Dial[1]", 12200),
        ("<Dial><Say>Hello</Say></Dial>", "Dial[1]", 13215),
        ("<Play>ftp://app.example/a.wav</Play>", "Play[1]", 11100),
        ("<Redirect>https://my_host.example/</Redirect>", "Redirect[1]", 11100),
        ('<Gather action="https://app.example/a b"/>', "Gather[1]@action", 11100),
        ('<Record action="javascript:x"/>', "Record[1]@action", 11100),
        ('<Dial action="//other.example/">+15550001111</Dial>', "Dial[1]@action", 11100),
        ('<Dial referUrl="sip:a@b">+15550001111</Dial>', "Dial[1]@referUrl", 11100),
        ('<Dial><Number url="file:///etc/passwd">+15550001111</Number></Dial>', "Dial[1]/Number[1]@url", 11100),
        ("<Say>a</Say>" * 1001, "Response", 11750),
        ("<Gather>" + "<Pause/>" * 1000 + "</Gather>", "Response", 11750),
        ("<Say>" + "<p>" * 15 + "</p>" * 15 + "</Say>", "Say[1]", 11750),
        ("<a>" * 16 + "</a>" * 16, "Response", 11750),
        ("<a/>" * 5000, "Response", 11750),
    ],
)
def test_what_cannot_be_carried_out_refuses_the_document(inside: str, path: str, code: int) -> None:
    assert fault(inside) == (path, code)


def test_a_fault_of_a_dial_says_why_its_last_target_cannot_be_dialled() -> None:
    with pytest.raises(DocumentError) as caught:
        twiml("\n<Dial>\n<Number>911</Number>\n</Dial>")

    assert str(caught.value) == (
        "Dial[1], line 2: has no target that can be dialled: Dial[1]/Number[1] must be a number in E.164, such as "
        "+15550001111, not '911'; it is passed over (code=13223)"
    )


@pytest.mark.parametrize(
    ("inside", "path", "code"),
    [
        ('<Gather action="/menu"/>', "Gather[1]@action", 15004),
        ('<Record recordingStatusCallback="told"/>', "Record[1]@recordingStatusCallback", 15004),
        ('<Record transcribeCallback="?x"/>', "Record[1]@transcribeCallback", 15004),
        ('<Dial action="/done">+15550001111</Dial>', "Dial[1]@action", 15004),
        ('<Dial><Number statusCallback="/x">+15550001111</Number></Dial>', "Dial[1]/Number[1]@statusCallback", 15004),
        ('<Dial><Number url="/screen">+15550001111</Number></Dial>', "Dial[1]/Number[1]@url", 11100),
        ("<Redirect>/next</Redirect>", "Redirect[1]", 15004),
        ("<Redirect/>", "Redirect[1]", 15004),
        ("<Play>a.wav</Play>", "Play[1]", 11100),
    ],
)
def test_a_document_without_a_url_has_no_relative_ones(inside: str, path: str, code: int) -> None:
    assert fault(inside, source_url=None) == (path, code)


def test_a_document_without_a_url_may_have_absolute_ones_and_none() -> None:
    document = twiml(
        '<Play digits="1"/><Gather action="HTTPS://app.example/menu"/><Gather action=""/><Record/>'
        "<Redirect>http://user:secret@[2001:db8::1]:8080?x=1#ct=100</Redirect>",
        source_url=None,
    )

    assert document == Document(
        (
            Play(digits="1"),
            Gather(action=Link("HTTPS://app.example/menu")),
            Gather(),
            Record(),
            Redirect("http://user:secret@[2001:db8::1]:8080?x=1#ct=100"),
        )
    )


def test_verbs_that_a_gather_may_not_hold_are_passed_over() -> None:
    document = twiml(
        '<Gather><Say>Press one.</Say><Dial>+15550001111</Dial><Sing/><Play digits="1"/>'
        '<Play digits="1">/a.wav</Play>and wait<Pause/></Gather>'
    )

    assert document.verbs == (Gather(prompts=(Say("Press one."), Pause())),)
    assert [(warning.path, warning.code) for warning in document.warnings] == [
        ("Gather[1]/Dial[1]", 13320),
        ("Gather[1]/Sing[1]", 12200),
        ("Gather[1]", 12200),
        ("Gather[1]", 13430),
    ]


def test_text_where_none_belongs_is_passed_over() -> None:
    document = twiml("Hello<Hangup>now</Hangup>\n<Pause/>there<Gather>Press one.</Gather><Reject><Parameter/></Reject>")

    assert [(warning.path, warning.code) for warning in document.warnings] == [
        ("Response", 12200),
        ("Hangup[1]", 12200),
        ("Response", 12200),
        ("Gather[1]", 12200),
        ("Reject[1]/Parameter[1]", 12200),
    ]


def test_ten_targets_are_dialled() -> None:
    document = twiml("<Dial>Help: " + "<Number>+15550001111</Number>" * 12 + "</Dial>")

    assert document.verbs == (Dial((Number(E164("+15550001111")),) * 10),)
    assert [(warning.path, warning.code) for warning in document.warnings] == [("Dial[1]", 12200), ("Dial[1]", 13215)]


def test_of_several_uris_the_first_by_priority_and_weight_is_dialled() -> None:
    document = twiml(
        '<Dial><Sip username="a" password="b"><Uri priority="2">sip:c@b.example</Uri>'
        '<Uri priority="1" weight="1">sip:d@b.example</Uri>'
        '<Uri priority="1" weight="9" username="x" password="y">sip:e@b.example</Uri>'
        '<Headers a="b"><Header name="X-A" value="1" c="d"/><Other/></Headers><Else/></Sip></Dial>'
    )

    assert document.verbs == (Dial((Sip("sip:e@b.example", (("X-A", "1"),), "x", "y"),)),)
    assert [(warning.path, warning.code) for warning in document.warnings] == [
        ("Dial[1]/Sip[1]/Headers[1]/Header[1]@c", 12200),
        ("Dial[1]/Sip[1]/Headers[1]/Other[1]", 12200),
        ("Dial[1]/Sip[1]/Else[1]", 12200),
        ("Dial[1]/Sip[1]", 13250),
    ]


def test_markup_that_is_not_known_loses_its_tags_and_keeps_its_words() -> None:
    document = twiml(
        '<Say><speak>Wait <break time="soon" pause="1"/><p>a &lt; <b>b</b></p> &amp; c</speak></Say>'
        "<Say>R<i>&amp;</i>B</Say>"
    )

    assert document.verbs == (Say("Wait <break/><p>a &lt; b</p> &amp; c", markup=True), Say("R&B"))
    assert [(warning.path, warning.code) for warning in document.warnings] == [
        ("Say[1]/break@time", 13520),
        ("Say[1]/break@pause", 13520),
        ("Say[1]/b", 13520),
        ("Say[1]/speak", 13520),
        ("Say[2]/i", 13520),
    ]


def test_one_hundred_warnings_are_told_and_that_there_are_more() -> None:
    document = twiml("<Sing/>" * 500)

    assert [warning.path for warning in document.warnings] == [
        *(f"Sing[{place}]" for place in range(1, 101)),
        "Sing[101]",
    ]
    assert document.warnings[-1].problem == "and more, which are not listed"


def test_lines_are_counted_where_elements_begin() -> None:
    document = twiml('\n<Gather\n timeout="0"\n>\n<Say\nloop="x">Hello</Say></Gather>')

    assert [(warning.path, warning.line) for warning in document.warnings] == [
        ("Gather[1]@timeout", 2),
        ("Gather[1]/Say[1]@loop", 5),
    ]
