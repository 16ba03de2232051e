"""The quoting filter: what a value may do to the XML around it, which is nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import UndefinedError
from lxml import etree

from controlplane.render.quoting import UnsafeConfigValue, quote_xml, render_xml

# What XML 1.0 can hold at all, less what is refused.
placeable = st.text(
    st.characters(min_codepoint=0x20, exclude_categories=["Cs", "Cc"], exclude_characters="$\ufffe\uffff")
).filter(lambda text: "x-pre-process" not in text.lower())


@given(placeable)
def test_any_text_comes_out_of_the_xml_as_it_went_in(text: str) -> None:
    quoted = quote_xml(text)
    element = etree.fromstring(f"<e double=\"{quoted}\" single='{quoted}'>{quoted}</e>".encode())
    assert (element.get("double"), element.get("single"), element.text or "") == (text, text, text)


@pytest.mark.parametrize(
    "text",
    ["a\nb", "a\rb", "\0", "a\tb", "\x7f", "${system(ls)}", "$${hostname}", "<!--#X-PRE-PROCESS", "x-Pre-Process"],
)
def test_what_no_quoting_makes_safe_is_refused(text: str) -> None:
    with pytest.raises(UnsafeConfigValue):
        quote_xml(text)


@pytest.mark.parametrize("value", [True, None, 1.5, ["a"], b"a"])
def test_only_text_and_whole_numbers_are_placed(value: object) -> None:
    with pytest.raises(UnsafeConfigValue):
        quote_xml(value)


def test_a_dollar_alone_is_only_a_dollar() -> None:
    assert quote_xml("5$ and $x") == "5$ and $x"


def test_a_value_that_is_missing_is_an_error() -> None:
    with pytest.raises(UndefinedError):
        render_xml("freeswitch/modules.conf.xml.j2", modules=["mod_sofia"])
