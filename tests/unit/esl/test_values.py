"""What may stand in a command, kind by kind."""

from __future__ import annotations

import pytest

from controlplane.esl import values
from controlplane.esl.errors import UnsafeValue
from controlplane.esl.values import NodeFile, SipHeader, SipLogin

# Each of these was seen to do harm somewhere in an argument, or would.
HARMFUL = ["\n", "\r", "\0", "\x1b", "\x7f", "\x85", "\u2028", "${x}", "$", "{", "}", "[", "]", "<", ">", "^", "|"]
HARMFUL += ["'", '"', "\\", ",", "`", "\ud800"]


@pytest.mark.parametrize("harm", HARMFUL)
@pytest.mark.parametrize(
    "make",
    [
        values.channel_id,
        values.token,
        values.digits,
        values.keys,
        values.caller_number,
        values.display_name,
        lambda text: NodeFile(f"/srv/{text}/a.wav"),
        lambda text: SipHeader("X-A", text),
        lambda text: SipHeader(f"X-{text}", "a"),
        lambda text: SipLogin(text, "a"),
        lambda text: SipLogin("a", text),
    ],
)
@pytest.mark.parametrize("around", ["%s", "a%s", "%sa", "1%s1"])
def test_harmful_characters_are_refused_everywhere(make: object, harm: str, around: str) -> None:
    with pytest.raises(UnsafeValue):
        make(around % harm)  # type: ignore[operator]


def test_a_refusal_does_not_repeat_the_value() -> None:
    with pytest.raises(UnsafeValue) as refusal:
        SipLogin("bob", "secret,word")
    assert "secret" not in str(refusal.value)
    assert "secret" not in repr(SipLogin("bob", "secret"))


@pytest.mark.parametrize("text", ["Alice Smith", "Jürgen Ö", "北京", "A & B (x) #1 2! = * ?", "", "é"])
def test_a_name_may_have_letters_of_any_script(text: str) -> None:
    assert values.display_name(text) == text


@pytest.mark.parametrize("text", [" a", "a ", "a" * 65, "a@b", "a:b", "a/b", "50%", "a;b", "a\u202eb", "O'Brien"])
def test_a_name_that_would_be_cut_or_decoded_is_refused(text: str) -> None:
    with pytest.raises(UnsafeValue):
        values.display_name(text)


@pytest.mark.parametrize(
    ("text", "tamed"),
    [
        ("O'Brien", "O Brien"),
        ("  Bob  ", "Bob"),
        ('x"\r\nUnique-ID: 1', "x Unique-ID 1"),
        ("${system(rm)}", "system(rm)"),
        ("%0AEvil", "0AEvil"),
        ("a" * 70, "a" * 64),
        ("a" * 63 + " b", "a" * 63),
        ("\u202e\0", ""),
    ],
)
def test_a_callers_name_is_tamed(text: str, tamed: str) -> None:
    assert values.tame_name(text) == tamed


@pytest.mark.parametrize("path", ["/srv/prompts/a.wav", "/a_b/c-d/e.f.wav", "/1.PCMU", "/srv/.callplane/prompts/a.wav"])
def test_files_of_ours_have_plain_paths(path: str) -> None:
    assert NodeFile(path).path == path


@pytest.mark.parametrize(
    "path",
    [
        "a.wav",
        "/srv/../a.wav",
        "/srv/a..wav",
        "/srv//a.wav",
        "/srv/./a.wav",
        "/srv/.../a.wav",
        "/srv/.wav",
        "/srv/a.sh",
        "/srv/a",
        "/srv/a b.wav",
        "/srv/a@@1.wav",
        "/srv/a!b.wav",
        "http://h/a.wav",
        "shell_stream:///bin/a.wav",
        "/srv/a.wav\n",
        "/" + "a" * 252 + ".wav",
        "",
    ],
)
def test_other_paths_are_no_files_of_ours(path: str) -> None:
    with pytest.raises(UnsafeValue):
        NodeFile(path)


@pytest.mark.parametrize("text", ["+15550001111", "anonymous", "alice.smith_1-2", "15550001111"])
def test_who_calls_is_a_number_or_a_plain_name(text: str) -> None:
    assert values.caller_number(text) == text


@pytest.mark.parametrize("text", ["", "+1", "+1555000111x", "a b", "a@b", "a" * 65, "+0123456789"])
def test_other_callers_are_refused(text: str) -> None:
    with pytest.raises(UnsafeValue):
        values.caller_number(text)


@pytest.mark.parametrize("text", ["", "1" * 81, "12 3", "12@100", "12+3", "1x", "~1"])
def test_digits_that_cannot_be_sent_are_refused(text: str) -> None:
    with pytest.raises(UnsafeValue):
        values.digits(text)


@pytest.mark.parametrize("value", [0, 11, -1, True, 2**64])
def test_numbers_have_bounds(value: int) -> None:
    with pytest.raises(UnsafeValue):
        values.number(value, least=1, most=10)


@pytest.mark.parametrize(
    "name", ["X-Trace", "User-to-User", "Remote-Party-ID", "P-Preferred-Identity", "P-Called-Party-ID"]
)
def test_headers_that_may_be_set(name: str) -> None:
    assert SipHeader(name, "sip:+1@h;party=calling?a=%20b&c").name == name


@pytest.mark.parametrize("name", ["Via", "From", "x-lower", "X-", "X-a_b", "X-A:", "X-A b", "P-Asserted-Identity", ""])
def test_other_headers_may_not_be_set(name: str) -> None:
    with pytest.raises(UnsafeValue):
        SipHeader(name, "a")


@pytest.mark.parametrize("value", ["", " a", "a ", "a" * 257, "a:_:b", "ä"])
def test_header_values_that_would_not_arrive_are_refused(value: str) -> None:
    with pytest.raises(UnsafeValue):
        SipHeader("X-A", value)
