"""What of SSML reaches an engine."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.speech.espeak import espeak_voice
from controlplane.speech.markup import (
    MAX_DEPTH,
    Closing,
    Opening,
    Words,
    espeak_markup,
    parse_markup,
    plain_text,
)


def espeak(text: str) -> str:
    return espeak_markup(text, espeak_voice)


def test_markup_is_read_into_pieces() -> None:
    assert parse_markup("One <break time='1s' strength=\"weak\"/> &amp; <p>two &lt;</p><!-- three -->") == [
        Words("One "),
        Opening("break", (("time", "1s"), ("strength", "weak")), True),
        Words(" & "),
        Opening("p"),
        Words("two <"),
        Closing("p"),
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a <break/> b", "a <break/> b"),
        ("a <break time='2s'/> b", 'a <break time="2000ms"/> b'),
        ("a <break time='1.5s'/>", 'a <break time="1500ms"/>'),
        ("a <break time='999s'/>", 'a <break time="10000ms"/>'),
        ("a <break time='long' strength='weak'/>", 'a <break strength="weak"/>'),
        ("<p>a</p><s>b</s>", "<p>a</p><s>b</s>"),
        ("<emphasis level='strong'>a</emphasis>", '<emphasis level="strong">a</emphasis>'),
        ("<emphasis level='x&quot;'>a</emphasis>", "<emphasis>a</emphasis>"),
        ("<lang xml:lang='fr-CA'>a</lang>", '<voice xml:lang="fr-fr">a</voice>'),
        ("<lang xml:lang='xx'>a</lang>", "a"),
        ("<say-as interpret-as='spell-out'>ab</say-as>", '<say-as interpret-as="characters">ab</say-as>'),
        ("<say-as interpret-as='telephone'>12</say-as>", '<say-as interpret-as="tts:digits">12</say-as>'),
        ("<say-as interpret-as='date' format='mdy'>1/2</say-as>", "1/2"),
        ("<prosody rate='slow'>a</prosody>", '<prosody rate="slow">a</prosody>'),
        ("<prosody rate='+20%' pitch='-10%' volume='-6dB'>a</prosody>",
         '<prosody rate="120%" volume="-6dB" pitch="-10%">a</prosody>'),
        ("<prosody rate='999%' pitch='+999%' volume='99dB'>a</prosody>",
         '<prosody rate="300%" volume="+12dB" pitch="+50%">a</prosody>'),
        ("<prosody rate='0%'>a</prosody>", '<prosody rate="20%">a</prosody>'),
        ("<sub alias='one &amp; two'>12 <b>x</b></sub> c", "one &amp; two c"),
        ("<phoneme alphabet='ipa' ph='x'>pecan</phoneme>", "pecan"),
        ("<w role='x'>read</w>", "read"),
        ("2 < 3 & 4 > 1", "2 &lt; 3 &amp; 4 &gt; 1"),
        ("<p>open", "<p>open</p>"),
        ("close</p> <s>a</p></s>", "close <s>a</s>"),
    ],
)  # fmt: skip
def test_only_known_elements_and_values_are_written_for_espeak(text: str, expected: str) -> None:
    assert espeak(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "<audio src='/etc/passwd'>hi</audio>",
        "<voice name='../../../x'>hi</voice>",
        '<AUDIO src="x">hi</AUDIO>',
        "<speak><mark name='x'/>hi</speak>",
        "<tts:style field='punctuation' mode='all'>hi</tts:style>",
        "<!-- <audio src='x'> -->hi",
        "<w><audio src='x'/>hi</w>",
    ],
)
def test_dangerous_elements_leave_only_their_words(text: str) -> None:
    assert espeak(text) == "hi"


def test_entities_cannot_make_a_tag() -> None:
    assert espeak("&lt;audio src=&quot;x&quot;/&gt;") == '&lt;audio src="x"/&gt;'


def test_a_tag_left_over_when_another_is_taken_out_is_text() -> None:
    assert "<audio" not in espeak("<au<w>dio src='x'>hi</w>")
    assert "<audio" not in espeak("<<w/>audio src='x'/>")


def test_elements_are_nested_no_deeper_than_espeak_can_count() -> None:
    assert espeak("<p>" * 40 + "a" + "</p>" * 40) == "<p>" * MAX_DEPTH + "a" + "</p>" * MAX_DEPTH


def test_long_words_are_broken_between_tags_only() -> None:
    assert espeak(f"<emphasis level='strong'>{'a' * 50}</emphasis>") == (
        f'<emphasis level="strong">{"a" * 40} {"a" * 10}</emphasis>'
    )


def test_a_word_hidden_behind_tags_that_are_dropped_is_broken_too() -> None:
    assert max(map(len, espeak("s'<w>s'</w>" * 60).split())) == 40


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hello <break time='1s'/>there", "Hello \n\nthere"),
        ("<p>One.</p><p>Two.</p>", "One.\n\n\n\nTwo."),
        ("<prosody rate='x-slow'>slow</prosody> &amp; <sub alias='World Wide Web'>www</sub>", "slow & World Wide Web"),
        ("<audio src='x'>no</audio>", "no"),
    ],
)
def test_plain_text_keeps_the_words(text: str, expected: str) -> None:
    assert plain_text(text) == expected


@given(st.text(alphabet="<>/&;'\"=! abps-[]\n") | st.text())
def test_whatever_comes_in_what_goes_to_espeak_is_well_formed(text: str) -> None:
    markup = espeak(text)

    assert {element.tag for element in ET.fromstring(f"<r>{markup}</r>").iter()} <= {
        "r", "p", "s", "break", "emphasis", "voice", "say-as", "prosody",
    }  # fmt: skip


@pytest.mark.parametrize("piece", ["<!--", "<a b='", "<a ", "<a" + " " * 50, "</", "&#x", "<p>", "<sub>", "[["])
def test_hostile_markup_is_read_in_time_that_grows_with_its_length(piece: str) -> None:
    # Eight times what a tenant may send: what takes seconds at that size takes longer than a test may, squared.
    assert espeak(piece * (524_288 // len(piece))) is not None
