"""Scenario files in YAML, with the line of what is wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import yaml

from controlplane.base.errors import BadInput
from controlplane.emulator.scenarios import (
    DEFAULT_PATIENCE_S,
    CalleePlan,
    CallerPlan,
    ExpectEnd,
    HangUp,
    Hear,
    Press,
    Say,
    Scenario,
    Step,
    Then,
    Wait,
)

_T = TypeVar("_T")
_KEYS = frozenset("0123456789*#ABCD")


class ScenarioError(BadInput):
    """The scenario file is not valid."""

    slug = "scenario-error"

    def __init__(self, problem: str, place: str, line: int) -> None:
        super().__init__(f"line {line}: {place}: {problem}" if place else f"line {line}: {problem}")
        self.place, self.line = place, line


class _Spot:
    """A value of the file, and where it stands."""

    def __init__(self, node: yaml.Node, place: str) -> None:
        self.node, self.place = node, place

    def fail(self, problem: str) -> ScenarioError:
        return ScenarioError(problem, self.place, self.node.start_mark.line + 1)

    def text(self) -> str:
        if not isinstance(self.node, yaml.ScalarNode) or self.node.tag == "tag:yaml.org,2002:null":
            raise self.fail("a text is wanted here")
        return str(self.node.value)

    def seconds(self) -> float:
        try:
            value = float(self.text())
        except ValueError:
            raise self.fail("a number of seconds is wanted here") from None
        if not 0 <= value < 1_000_000:
            raise self.fail("a number of seconds, 0 or more, is wanted here")
        return value

    def members(self) -> dict[str, _Spot]:
        if not isinstance(self.node, yaml.MappingNode):
            raise self.fail("names with values are wanted here")
        found: dict[str, _Spot] = {}
        for key, value in self.node.value:
            name = _Spot(key, self.place).text()
            if name in found:
                raise _Spot(key, self.place).fail(f"{name} stands here twice")
            found[name] = _Spot(value, f"{self.place}.{name}" if self.place else name)
        return found

    def items(self) -> list[_Spot]:
        if not isinstance(self.node, yaml.SequenceNode):
            raise self.fail("a list is wanted here")
        return [_Spot(one, f"{self.place}[{number}]") for number, one in enumerate(self.node.value)]

    def only(self, *names: str) -> dict[str, _Spot]:
        """The members, of which none may have another name."""
        members = self.members()
        for name, spot in members.items():
            if name not in names:
                raise spot.fail(f"unknown; known here are {', '.join(names)}")
        return members


def parse_scenario(text: str) -> Scenario:
    """Read a scenario file; raises ScenarioError, which names the line and the place."""
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ScenarioError(f"no YAML: {error.problem}", "", line) from error
    if node is None:
        raise ScenarioError("the file is empty", "", 1)
    members = _Spot(node, "").only("application", "callers", "callees")
    callers = tuple(_caller(one) for one in members["callers"].items()) if "callers" in members else ()
    callees = members["callees"].members() if "callees" in members else {}
    application = _or(members, "application", _Spot.text, "")
    return Scenario(callers, {name: _callee(spot) for name, spot in callees.items()}, application)


def _caller(spot: _Spot) -> CallerPlan:
    members = spot.only("from", "to", "script", "name", "at_s", "headers")
    headers = members["headers"].members() if "headers" in members else {}
    return CallerPlan(
        from_number=_wanted(spot, members, "from").text(),
        to_number=_wanted(spot, members, "to").text(),
        script=_script(members.get("script")),
        name=_or(members, "name", _Spot.text, ""),
        at_s=_or(members, "at_s", _Spot.seconds, 0.0),
        headers={name: value.text() for name, value in headers.items()},
    )


def _callee(spot: _Spot) -> CalleePlan:
    members = spot.only("ring_s", "then", "after_answer")
    return CalleePlan(
        ring_s=_or(members, "ring_s", _Spot.seconds, 1.0),
        then=_or(members, "then", _then, Then.ANSWER),
        after_answer=_script(members.get("after_answer")),
    )


def _then(spot: _Spot) -> Then:
    try:
        return Then(spot.text())
    except ValueError:
        raise spot.fail(f"one of {', '.join(Then)} is wanted here") from None


def _wanted(spot: _Spot, members: Mapping[str, _Spot], name: str) -> _Spot:
    if name not in members:
        raise spot.fail(f"{name} is missing")
    return members[name]


def _or(members: Mapping[str, _Spot], name: str, read: Callable[[_Spot], _T], default: _T) -> _T:
    return read(members[name]) if name in members else default


def _script(spot: _Spot | None) -> tuple[Step, ...]:
    return () if spot is None else tuple(_step(one) for one in spot.items())


def _step(spot: _Spot) -> Step:
    members = spot.members()
    kinds = [name for name in _STEPS if name in members]
    if len(kinds) != 1:
        raise spot.fail(f"a step has exactly one of {', '.join(_STEPS)}")
    return _STEPS[kinds[0]](spot)


def _wait(spot: _Spot) -> Step:
    return Wait(spot.only("wait_s")["wait_s"].seconds())


def _silence(spot: _Spot) -> Step:
    return Wait(spot.only("silence_s")["silence_s"].seconds(), is_silence=True)


def _press(spot: _Spot) -> Step:
    members = spot.only("press", "gap_s")
    keys = members["press"].text()
    if not keys or not set(keys) <= _KEYS:
        raise members["press"].fail("keys are 0 to 9, *, #, A to D (write them in quotes)")
    return Press(keys, _or(members, "gap_s", _Spot.seconds, 0.3))


def _say(spot: _Spot) -> Step:
    members = spot.only("say", "seconds")
    text = members["say"].text()
    return Say(text, _or(members, "seconds", _Spot.seconds, max(1.0, len(text.split()) * 0.4)))


def _hear(spot: _Spot) -> Step:
    members = spot.only("hear", "within_s")
    return Hear(members["hear"].text(), _or(members, "within_s", _Spot.seconds, DEFAULT_PATIENCE_S))


def _hang_up(spot: _Spot) -> Step:
    spot.only("hang_up")
    return HangUp()


def _expect_end(spot: _Spot) -> Step:
    inner = spot.only("expect_end")["expect_end"]
    if isinstance(inner.node, yaml.MappingNode):
        members = inner.only("within_s", "cause")
        within_s = _or(members, "within_s", _Spot.seconds, DEFAULT_PATIENCE_S)
        return ExpectEnd(within_s, _or(members, "cause", _Spot.text, ""))
    if inner.text() == "true":
        return ExpectEnd()
    return ExpectEnd(inner.seconds())


_STEPS: dict[str, Callable[[Any], Step]] = {
    "wait_s": _wait,
    "silence_s": _silence,
    "press": _press,
    "say": _say,
    "hear": _hear,
    "hang_up": _hang_up,
    "expect_end": _expect_end,
}
