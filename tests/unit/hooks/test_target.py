from dataclasses import replace
from urllib.parse import urljoin

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.hooks.errors import Code, HookError
from controlplane.hooks.target import Target, hide_credentials, parse_target


def code_of(url: str) -> Code:
    with pytest.raises(HookError) as caught:
        parse_target(url)
    return caught.value.code


def test_url_is_taken_apart() -> None:
    assert parse_target("HTTPS://us:pw@App.Example:8443/a/b?c=d&e#rc=1") == Target(
        "https", "App.Example", 8443, "/a/b", "c=d&e", "us:pw", "rc=1"
    )


@pytest.mark.parametrize(
    ("written", "asked"),
    [
        ("https://app.example", "https://app.example/"),
        ("https://app.example?x=1", "https://app.example/?x=1"),
        ("https://app.example/?", "https://app.example/"),
        ("HTTP://App.Example:80/A", "http://App.Example:80/A"),
        ("https://bücher.example/é?ü=ß", "https://xn--bcher-kva.example/%C3%A9?%C3%BC=%C3%9F"),
        ("https://app.example/%7e/%2F/%zz", "https://app.example/%7e/%2F/%zz"),
        ("https://app.example/a?b={c}|d", "https://app.example/a?b=%7Bc%7D%7Cd"),
        ("https://u:p@app.example/a#b", "https://app.example/a"),
        ("https://[2606:4700::1]:8443/", "https://[2606:4700::1]:8443/"),
        ("http://1.2.3.4/", "http://1.2.3.4/"),
        ("http://app.example./", "http://app.example./"),
    ],
)
def test_text_that_is_asked_is_the_text_as_written_made_ascii(written: str, asked: str) -> None:
    target = parse_target(written)

    assert target.url == asked
    assert asked.endswith(target.authority + target.for_wire.raw_path_qs)


@pytest.mark.parametrize(
    "url",
    [
        "", "/voice", "app.example", "//app.example/", "ftp://app.example/", "http:app.example", "http://", "http:///x",
        "http://a b/", "http://app.example/a b", "http://app.example/\r\nX: y", "http://app.example/\t", " http://a/",
        "http://app.example\\@other.example/", "http://app.example:0/", "http://app.example:65536/", "http://a:b/",
        "http://app.example:80:80/", "http://a@b@c/", "http://app.example/\x00", "http://app.example/\ud800",
        "http://app.example/\u2028", "http://[::1", "http://a]/", "httpſ://a/", "http://a/" + "x" * 8000,
    ],
)  # fmt: skip
def test_what_is_no_url_of_ours_is_refused(url: str) -> None:
    assert code_of(url) == Code.URL_NOT_VALID


@pytest.mark.parametrize(
    "host",
    [
        "a_b.example", "-a.example", "a-.example", "a..example", ".", "%61.example", "a,b", "a'b", "$x", "x" * 64,
        "a." * 127 + "aa", "1.2.3", "0x1.2.3.4", "256.1.1.1", "1.2.3.4.", "[1.2.3.4]", "[g::1]",
        "[::1%25]", "xn--\u00e9.example", "\u00ad.example", "é" * 300, "a\u200bb_c.example",
    ],
)  # fmt: skip
def test_what_is_no_host_is_refused(host: str) -> None:
    assert code_of(f"http://{host}/") == Code.BAD_HOST


def test_empty_port_means_none() -> None:
    assert parse_target("http://app.example:/a").url == "http://app.example/a"


@pytest.mark.parametrize(
    ("location", "url"),
    [
        ("next", "https://app.example/a/next"),
        ("/next?x=1", "https://app.example/next?x=1"),
        ("?x=2", "https://app.example/a/voice?x=2"),
        ("//other.example/b", "https://other.example/b"),
        ("http://other.example:81", "http://other.example:81/"),
        ("../../../c", "https://app.example/c"),
        ("#frag", "https://app.example/a/voice?q=1"),
        ("/é", "https://app.example/%C3%A9"),
    ],
)
def test_location_is_resolved(location: str, url: str) -> None:
    assert parse_target("https://u:p@app.example/a/voice?q=1").follow(location).url == url


@pytest.mark.parametrize("location", ["/a\rb", "/a\nb", "/a b", "\\\\evil", "/\udce9", "http://[x", "\x00"])
def test_location_with_foreign_characters_is_a_violation(location: str) -> None:
    with pytest.raises(HookError) as caught:
        parse_target("https://app.example/").follow(location)

    assert caught.value.code == Code.PROTOCOL_VIOLATION


def test_credentials_are_not_in_what_is_printed() -> None:
    target = parse_target("https://user:secret@app.example/")

    assert "secret" not in f"{target!r} {target.url}"
    assert target.url_with_credentials == "https://user:secret@app.example/"


@pytest.mark.parametrize(("userinfo", "kept"), [("[", "%5B"), ("u:]é", "u:%5D%C3%A9"), ("℀%5b:p=", "%E2%84%80%5b:p=")])
def test_links_of_a_document_are_joined_with_any_credentials(userinfo: str, kept: str) -> None:
    target = parse_target(f"https://{userinfo}@app.example/a/b")

    assert urljoin(target.url_with_credentials, "c") == f"https://{kept}@app.example/a/c"
    assert target.credentials == replace(target, userinfo=userinfo).credentials


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("http://u:p@h h/x#y", "http://h h/x"),
        ("ftp://a@b@c/", "ftp://c/"),
        ("u:p@h", "h"),
        ("/voice?a=1", "/voice?a=1"),
    ],
)
def test_unreadable_url_is_shown_without_credentials(text: str, shown: str) -> None:
    assert hide_credentials(text) == shown


@given(st.text(max_size=60))
def test_reading_any_text_ends_in_a_target_or_a_hook_error(text: str) -> None:
    for url in (text, "http://" + text, "http://a.example/" + text, "http://a.example/?" + text):
        try:
            target = parse_target(url)
        except HookError:
            continue
        assert target.url.isascii()
        assert not set(target.url) & set("\r\n\t \\#")
        assert target.for_wire.raw_path_qs == target.path_and_query
