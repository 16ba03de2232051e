"""Cases: scenario files with the pages of their application in them, and what is expected of everybody.

    about: one sentence
    ways: [memory]                # how it is run, where not in every way
    application:                  # path → page (tests/acceptance/application.py)
      /: <Response>…</Response>
    fallback: /fallback           # what the number's app is set to, beside `/`
    callers: …                    # as controlplane/emulator/scenarios.py has it
    callees: …
    api: [{at_s: 1, …}]           # what the tenant asks of the API meanwhile (tests/acceptance/requests.py)
    faults: [{at_s: 1, …}]        # what befalls the platform meanwhile (tests/acceptance/faults.py)
    expect: …                     # tests/acceptance/expectations.py

Numbers are written +1555000NNNN; each case gets a range of its own, so that cases can run at the same time.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from controlplane.emulator.reading import parse_scenario
from controlplane.emulator.scenarios import Scenario

FOLDER = Path(__file__).parent / "scenarios"
_NUMBER = re.compile(r"\+1555000(\d{4})")
_MEMBERS = frozenset({"about", "ways", "application", "fallback", "callers", "callees", "api", "faults", "expect"})


@dataclass(frozen=True, slots=True)
class Case:
    """One scenario and what belongs to it. `numbers` are those that callers dial."""

    name: str
    about: str
    scenario: Scenario
    pages: Mapping[str, Any]
    expect: Mapping[str, Any]
    ways: tuple[str, ...] = ()
    fallback: str = ""
    api: tuple[Mapping[str, Any], ...] = ()
    faults: tuple[Mapping[str, Any], ...] = ()
    number: str = ""
    problems: list[str] = field(default_factory=list)

    def runs(self, way: str) -> bool:
        return not self.ways or way in self.ways


def read_cases(folder: Path = FOLDER, first: int = 1) -> list[Case]:
    """Every case, by name. Those of several folders that meet on one platform have ranges apart: from `first` on."""
    return [read_case(path, index) for index, path in enumerate(sorted(folder.glob("*.yaml")), first)]


def cases_for(way: str) -> list[Case]:
    """Those of `scenarios/` that are run in this way."""
    return [case for case in read_cases() if case.runs(way)]


def read_case(path: Path, index: int) -> Case:
    """One case; its numbers are of the range `index`."""
    text = _NUMBER.sub(rf"+1555{index:03}\1", path.read_text())
    read = yaml.safe_load(text)
    assert set(read) <= _MEMBERS, f"{path.name}: {set(read) - _MEMBERS}"
    scenario = {name: read[name] for name in ("callers", "callees") if name in read}
    return Case(
        path.stem,
        read["about"],
        parse_scenario(yaml.safe_dump(scenario)) if scenario else Scenario(),
        read["application"],
        read["expect"],
        tuple(read.get("ways", ())),
        read.get("fallback", ""),
        tuple(read.get("api", ())),
        tuple(read.get("faults", ())),
        f"+1555{index:03}2222",
    )


# Each with how many call servers there are before one is killed.
TAKEOVERS = [
    (case, 1 if case.name == "killed_restarted" else 2)
    for case in reversed(read_cases(Path(__file__).parent / "takeovers", first=201))
]
