import base64
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import MultiDict
from twilio.request_validator import RequestValidator

from controlplane.hooks.signing import sign_form, sign_teler

TOKEN = "12345"
FORM = (
    ("CallSid", "CA1234567890ABCDE"),
    ("Caller", "+14158675310"),
    ("From", "+14158675310"),
    ("Digits", "1234"),
    ("To", "+18005551212"),
)


@pytest.mark.parametrize(
    ("url", "parameters", "signature"),
    [
        ("https://mycompany.com/myapp.php?foo=1&bar=2", FORM, "GvWf1cFY/Q7PnoempGyD5oXAezc="),
        ("https://mycompany.com:443/myapp.php?foo=1&bar=2", FORM, "5s2PFy0qmPcZucb4eH4b08ZJtL0="),
        ("https://mycompany.com:8443/myapp.php", FORM, "Xu5HoQORIkMzjJaKUiowuDKf9wI="),
        ("https://mycompany.com/myapp.php?CallSid=CA1&Digits=1", (), "IH47GGg6at4BdQ/o4lsfN9cfiZ8="),
        ("https://mycompany.com/x", (("A", ""), ("B", "1")), "rp+MeRFRw5wQbePnkEdEZvXBHdE="),
        ("https://mycompany.com/x", (("SpeechResult", "café"),), "42Lb8vhglLver2iZZWgGYNMfBOw="),
        ("wss://mycompany.com/audiostream", (), "mxVS0tRVbP5ZhL7r1U4hN4KoRyY="),
        ("wss://mycompany.com/audiostream/", (), "GLgfUXsNSzfoFSnGFrzIv9r05LA="),
        ("https://user:pass@mycompany.com/myapp.php", FORM, "lAHeIU91AY/WpHyOA2e+FzaOmcs="),
    ],
)
def test_form_signatures_are_those_of_the_reference(
    url: str, parameters: tuple[tuple[str, str], ...], signature: str
) -> None:
    assert sign_form(url, parameters, TOKEN) == signature


@given(
    parameters=st.dictionaries(st.text(min_size=1), st.lists(st.text(), min_size=1, max_size=3), max_size=8),
    token=st.text(st.characters(codec="ascii", min_codepoint=33), min_size=1),
)
def test_official_validator_accepts_whatever_form_we_sign(parameters: dict[str, list[str]], token: str) -> None:
    fields = [(name, value) for name, values in parameters.items() for value in values]

    signature = sign_form("https://mycompany.com/x", fields, token)

    assert RequestValidator(token).validate("https://mycompany.com/x", MultiDict(fields), signature)


def test_repeated_values_of_one_name_are_signed_once() -> None:
    once = sign_form("https://mycompany.com/x", [("A", "2"), ("A", "1")], TOKEN)

    assert sign_form("https://mycompany.com/x", [("A", "1"), ("A", "2"), ("A", "1")], TOKEN) == once


def test_teler_signature_is_hexadecimal_over_timestamp_and_body() -> None:
    expected = hmac.new(b"whsec_x", b'1700000000.{"a":1}', "sha256")

    signature = sign_teler("whsec_x", 1_700_000_000, b'{"a":1}')

    assert signature == expected.hexdigest()
    assert base64.b16decode(signature.upper()) == expected.digest()
