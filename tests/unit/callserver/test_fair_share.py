from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from controlplane.callserver.balancing import fair_share


@given(st.integers(0, 200), st.sets(st.text(max_size=5), min_size=1, max_size=20))
def test_shares_add_up_and_differ_by_one_at_most(places: int, servers: set[str]) -> None:
    shares = [fair_share(places, sorted(servers), server) for server in servers]
    assert sum(shares) == places
    assert max(shares) - min(shares) <= 1
