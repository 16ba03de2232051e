"""Values made by way of a twin are what their own classes make."""

from __future__ import annotations

import copy
import pickle
from dataclasses import FrozenInstanceError, dataclass, field, fields, replace
from typing import Any

import pytest

from controlplane.base.e164 import E164
from controlplane.base.making import maker_of
from controlplane.verbs.documents import Dial, Gather, Link, Number, Pause, Play, Record, Say

NUMBER = Number(E164("+15550001111"))


@dataclass(frozen=True, slots=True)
class Listed:
    members: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class WithoutSlots:
    name: str = ""


@dataclass(frozen=True, slots=True)
class Doubled:
    number: int
    twice: int = field(init=False, default=0)


@dataclass(frozen=True, slots=True)
class Checked:
    number: int

    def __post_init__(self) -> None:
        if self.number < 0:
            raise ValueError


@pytest.mark.parametrize(
    ("verb", "values"),
    [
        (Say, {"text": "a", "loop": 3}),
        (Play, {}),
        (Pause, {"length_s": 2}),
        (Link, {"url": "/a"}),
        (Gather, {"prompts": (Say("a"),), "num_digits": 1}),
        (Record, {"action": Link("/a", "GET")}),
        (Dial, {"targets": (NUMBER,)}),
    ],
)
def test_a_value_is_made_as_its_class_makes_it(verb: type[Any], values: dict[str, Any]) -> None:
    made, usual = maker_of(verb)(values), verb(**values)

    assert type(made) is verb
    assert (made, repr(made), hash(made)) == (usual, repr(usual), hash(usual))
    assert (copy.copy(made), pickle.loads(pickle.dumps(made)), replace(made)) == (usual, usual, usual)
    with pytest.raises(FrozenInstanceError):
        setattr(made, fields(verb)[0].name, None)


def test_fields_that_are_missing_or_unknown_are_refused() -> None:
    make = maker_of(Say)

    with pytest.raises(TypeError, match="missing 1 required positional argument: 'text'"):
        make({})
    with pytest.raises(TypeError, match="unexpected keyword argument 'volume'"):
        make({"text": "a", "volume": 1})


def test_defaults_that_are_made_anew_are_not_shared() -> None:
    make = maker_of(Listed)

    assert make({}).members is not make({}).members


def test_a_class_without_slots_is_refused() -> None:
    with pytest.raises(TypeError, match="object layout differs"):
        maker_of(WithoutSlots)({})


@pytest.mark.parametrize("kind", [Doubled, Checked])
def test_a_class_that_does_more_when_one_is_made_is_refused(kind: type[Any]) -> None:
    with pytest.raises(TypeError, match="is not made of its fields alone"):
        maker_of(kind)
