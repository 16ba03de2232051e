import pytest

from controlplane.hooks.cookies import MAX_COOKIES, CallCookies, Cookie
from controlplane.hooks.target import parse_target

HERE = parse_target("https://app.example/calls/voice")


def sent_back(set_cookie: str, url: str = "https://app.example/calls/next") -> str:
    jar = CallCookies()
    jar.take(HERE, [set_cookie])
    return jar.header_for(parse_target(url))


@pytest.mark.parametrize(
    ("set_cookie", "url", "header"),
    [
        ("s=1", "https://app.example/calls/next", "s=1"),
        ("s=1", "https://APP.example:8443/calls", "s=1"),
        ("s=1", "https://app.example/callsx", ""),
        ("s=1", "https://app.example/other", ""),
        ("s=1; Path=/", "https://app.example/other", "s=1"),
        ("s=1; path=/o; HttpOnly", "https://app.example/o/x", "s=1"),
        ("s=1; Path=nonsense", "https://app.example/calls", "s=1"),
        ("s=1; Path=/", "https://www.app.example/", ""),
        ("s=1; Path=/; Domain=example", "https://other.example/", ""),
        ("s=1; Path=/; Domain=example", "https://app.example/", "s=1"),
        ("s=1; Path=/; Secure", "http://app.example/", ""),
        ("s=1; Path=/", "http://app.example/", "s=1"),
        ('s="a b"', "https://app.example/calls", ""),
        ('s="ab"', "https://app.example/calls", 's="ab"'),
        ("s=", "https://app.example/calls", "s="),
        ("s=a=b", "https://app.example/calls", "s=a=b"),
    ],
)
def test_cookie_goes_back_to_where_it_belongs(set_cookie: str, url: str, header: str) -> None:
    assert sent_back(set_cookie, url) == header


@pytest.mark.parametrize(
    "set_cookie", ["", "s", "=1", "a b=1", "s=1,2", "s=a\x01b", "s=é", "s=a\\b", "s=" + "x" * 5000, "s\x00=1"]
)
def test_malformed_cookie_is_ignored(set_cookie: str) -> None:
    assert sent_back(set_cookie) == ""


@pytest.mark.parametrize("ending", ["Max-Age=0", "max-age=-5", "Max-Age=00", "Expires=Thu, 01 Jan 1970 00:00:00 GMT"])
def test_expired_cookie_is_dropped(ending: str) -> None:
    jar = CallCookies()
    jar.take(HERE, ["s=1"])
    jar.take(HERE, [f"s=; {ending}"])

    assert jar.cookies == ()


@pytest.mark.parametrize("ending", ["Max-Age=60", "Expires=Fri, 01 Jan 2100 00:00:00 GMT", "Expires=soon", "Max-Age=x"])
def test_cookie_that_lasts_is_kept(ending: str) -> None:
    assert sent_back(f"s=1; {ending}") == "s=1"


def test_longer_paths_come_first() -> None:
    jar = CallCookies()
    jar.take(HERE, ["a=1; Path=/", "b=2; Path=/calls/voice", "c=3; Path=/calls"])

    assert jar.header_for(HERE) == "b=2; c=3; a=1"


def test_jar_stays_small_and_still_takes_new_values_of_old_names() -> None:
    jar = CallCookies()
    jar.take(HERE, [f"n{number}=1" for number in range(100)])
    jar.take(HERE, ["n0=2", "new=1"])

    assert len(jar.cookies) == MAX_COOKIES
    assert jar.cookies[0] == Cookie("app.example", "/calls", "n0", "2", is_secure=False)


def test_jar_goes_on_elsewhere() -> None:
    jar = CallCookies()
    jar.take(HERE, ["s=1"])

    assert CallCookies(jar.cookies).header_for(HERE) == "s=1"
