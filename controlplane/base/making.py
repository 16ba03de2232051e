"""Frozen values made as fast as others.

A frozen dataclass with slots sets each field by object.__setattr__, which takes longer than all else that making it
takes. Here a value is made as an instance of a twin, the same slots and defaults without the freezing, and then becomes
what it is: Python lets an instance change its class to one of the same layout (Objects/typeobject.c, same_slots_added),
and refuses any other with a TypeError, so that a class this cannot be done with is found out when the twin is tried.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, field, fields, make_dataclass
from typing import Any, TypeVar

Made = TypeVar("Made")


def maker_of(frozen: type[Made]) -> Callable[[Mapping[str, Any]], Made]:
    """A function that makes a frozen slots dataclass of the fields that it is given, by name, and the defaults.

    Raises TypeError for a class that does more than take its fields when one is made.
    """
    if hasattr(frozen, "__post_init__") or not all(each.init for each in fields(frozen)):  # type: ignore[arg-type]
        raise TypeError(f"{frozen.__name__} is not made of its fields alone")
    columns = [(each.name, each.type, _default_of(each)) for each in fields(frozen)]  # type: ignore[arg-type]
    twin: Any = make_dataclass(frozen.__name__, columns, slots=True, eq=False, repr=False)

    def make(values: Mapping[str, Any]) -> Made:
        made = twin(**values)
        made.__class__ = frozen
        return made  # type: ignore[no-any-return]

    return make


def _default_of(each: Field[Any]) -> Any:
    if each.default is not MISSING:
        return field(default=each.default)
    if each.default_factory is not MISSING:
        return field(default_factory=each.default_factory)
    return field()
