"""A URL that a document's reader takes can be joined with the document's own."""

from __future__ import annotations

from urllib.parse import urljoin

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.verbs.errors import DocumentError
from controlplane.verbs.kinds import Unfit
from controlplane.verbs.parsing import parse_document
from controlplane.verbs.urls import Url

BASE = "https://app.example/voice"


@pytest.mark.parametrize("url", ["http://[1]/", "http://[1:2]:80/", "http://[[@h/", "http://a]@h/", "http://℀@h/"])
def test_a_url_whose_host_nobody_can_read_is_a_fault_of_the_document(url: str) -> None:
    with pytest.raises(DocumentError) as caught:
        parse_document(f"<Response><Redirect>{url}</Redirect></Response>".encode(), "text/xml", source_url=BASE)

    assert caught.value.code == 11100


@pytest.mark.parametrize(
    "url", ["http://[2606:4700::1]:8080/a", "https://u:p@h/", "http://é@h/", "/a[b]?c]", "a[b", "http://h/[", "?["]
)
def test_brackets_elsewhere_are_taken(url: str) -> None:
    assert Url().from_text(url) == url


@given(st.text("htp:/[]@.#?1a℀é \\_", max_size=12) | st.text(max_size=12))
def test_whatever_is_taken_can_be_joined(text: str) -> None:
    for url in (text, f"http://{text}", f"http://{text}@h/"):
        try:
            taken = Url().from_text(url)
        except Unfit:
            continue
        urljoin(BASE, taken)
