"""The short form of `python -m tests.injection`: every place, and attempts of every family."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

import pytest

from tests.injection.payloads import all_payloads
from tests.injection.run import Wanted, places_of_all, run_all


@pytest.mark.freeswitch
@pytest.mark.timeout(400)
def test_values_stay_values_wherever_they_stand(freeswitch_program: Path, server_url: str) -> None:
    with tempfile.TemporaryDirectory(prefix="cpi-") as folder:
        report = asyncio.run(run_all(Path(folder), server_url, freeswitch_program, Wanted(each=1)))

    assert [name for name, fires in report.controls.items() if not fires] == []
    assert report.sung == []
    assert report.outcomes.problems == [], "\n".join(report.outcomes.problems)
    assert report.complaints == []
    assert places_of_all() - report.outcomes.places == set()
    families = {payload.id: payload.family for payload in all_payloads()}
    assert {families[name] for name in report.outcomes.payloads if name in families} == set(families.values())
