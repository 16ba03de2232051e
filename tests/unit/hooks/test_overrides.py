import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.hooks.errors import Code, HookError
from controlplane.hooks.limits import Limits, Plan, plan_of
from controlplane.hooks.overrides import Overrides, RetryOn, parse_overrides


@pytest.mark.parametrize("fragment", ["", "top", "a=b", "=", "&&", "x&y=", "CT=5", "section-2.1"])
def test_fragment_that_says_nothing_to_us_changes_nothing(fragment: str) -> None:
    assert parse_overrides(fragment) == Overrides()


def test_every_key_is_read() -> None:
    overrides = parse_overrides("ct=100&rt=15000&tt=14999&rc=5&rp=4xx,5xx,ct,rt&sni=n&e=dublin,ashburn")

    assert overrides == Overrides(
        connect_ms=100, read_ms=15_000, total_ms=14_999, retries=5, retry_on=frozenset(RetryOn), sends_sni=False
    )


def test_all_means_every_policy() -> None:
    assert parse_overrides("rp=all").retry_on == frozenset(RetryOn)


def test_last_of_a_repeated_key_counts_and_percent_encoding_is_undone() -> None:
    assert parse_overrides("rc=1&rc=2&rp=4xx%2C5xx") == Overrides(
        retries=2, retry_on=frozenset({RetryOn.STATUS_4XX, RetryOn.STATUS_5XX})
    )


@pytest.mark.parametrize(
    ("fragment", "code"),
    [
        *[(bad, Code.OVERRIDE_INVALID) for bad in ("ct=99", "ct=10001", "rt=99", "rt=15001", "tt=0", "tt=15001")],
        *[(bad, Code.OVERRIDE_INVALID) for bad in ("rc=6", "rc=-1", "rc=", "ct=1e3", "ct= 500", "tt=٥٠٠", "tt=0x100")],
        *[(bad, Code.OVERRIDE_INVALID) for bad in ("rp=", "rp=3xx", "rp=4xx,", "rp=ALL", "sni=yes", "sni=")],
        *[(bad, Code.EDGE_INVALID) for bad in ("e=", "e=ashburn,", "e=Ashburn", "e=a b", "e=1", "e=../x")],
        *[(bad, Code.EDGE_UNSUPPORTED) for bad in ("e=roaming", "e=paris", "e=ashburn,paris")],
        *[(bad, Code.INTERCONNECT_REFUSED) for bad in ("e=ashburn-ix", "e=ashburn,london-ix")],
    ],
)
def test_bad_value_has_its_number(fragment: str, code: Code) -> None:
    with pytest.raises(HookError) as caught:
        parse_overrides(fragment)

    assert caught.value.code == code


@given(st.text())
def test_any_fragment_is_read_or_refused_with_a_number_of_its_own(fragment: str) -> None:
    try:
        overrides = parse_overrides(fragment)
    except HookError as error:
        code: Code | None = error.code
    else:
        code = None
        assert overrides.retries is None or 0 <= overrides.retries <= 5
    assert code in (None, Code.EDGE_INVALID, Code.EDGE_UNSUPPORTED, Code.INTERCONNECT_REFUSED, Code.OVERRIDE_INVALID)


def test_plan_is_the_platforms_where_the_url_is_silent() -> None:
    plan = plan_of(Limits(), Overrides(), total_ms=15_000, retries=1, body_bytes=1000)

    assert plan == Plan(5.0, 15.0, 15.0, 1, 0.05, frozenset({RetryOn.CONNECT}), 10, sends_sni=True, most_bytes=526_288)


def test_plan_takes_what_the_url_says() -> None:
    plan = plan_of(
        Limits(), parse_overrides("ct=100&rt=200&tt=300&rc=0&sni=n"), total_ms=15_000, retries=1, body_bytes=1000
    )

    assert plan == Plan(0.1, 0.2, 0.3, 0, 0.05, frozenset({RetryOn.CONNECT}), 10, sends_sni=False, most_bytes=526_288)
