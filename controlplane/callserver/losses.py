"""Runs of media nodes that are over while calls of theirs are not, and what is needed to go on with those elsewhere.

A node is known by its name, one run of FreeSWITCH on it by its Core-UUID: the *core*. A core that was declared lost is
never driven again, even if it turns out to live.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from controlplane.base.ids import LegId


@dataclass(frozen=True, slots=True)
class Core:
    """One run of FreeSWITCH on a node, as all call servers know it.

    `lost_s` is how long ago it was declared lost, None if it was not. `adopting_node` with `adopting_core` goes on with
    what it had; `legs` were given there. Once `is_settled`, its calls are the adopting node's, or nobody's.
    """

    node: str
    uuid: str
    lost_s: float | None = None
    is_settled: bool = False
    adopting_node: str = ""
    adopting_core: str = ""
    legs: frozenset[LegId] = frozenset()

    @property
    def is_lost(self) -> bool:
        return self.lost_s is not None


class Cores(Protocol):
    """What all call servers know together of their nodes. Everything may raise Unavailable."""

    async def enter(self, node: str, core: str) -> bool:
        """A node answers with this core, so every other of its cores is over. False: this one was declared lost."""
        ...

    async def known(self) -> Sequence[Core]:
        """The last core of each node, all that were lost and are not settled or were lately, and who goes on.

        Those of one node are in the order in which they ran.
        """
        ...

    async def declare_lost(self, node: str, core: str, *, unseen_s: float) -> bool:
        """Say that a core is lost, unless somebody had it `enter` less than `unseen_s` ago."""
        ...

    async def lead(self, core: Core, server: str) -> Core | None:
        """Make it this server's to settle a lost core, unless a server that lives does; answers how far that is."""
        ...

    async def a_legs(self, node: str) -> frozenset[LegId]:
        """The A-legs of all live calls of a node."""
        ...

    async def adopt(self, core: Core, server: str, by: Core, legs: Collection[LegId]) -> bool:
        """Put on record who goes on with a lost core's legs; False if somebody else leads."""
        ...

    async def settle(self, core: Core, server: str, legs: Collection[LegId]) -> bool:
        """Be done with a lost core: these legs came up, all others are over. False if somebody else leads."""
        ...


class CoreDatabases(Protocol):
    """What nodes keep of answered legs, so that others can bring them up. Everything may raise Unavailable."""

    async def copy(self, lost: Core, to: Core, *, staying: Collection[LegId]) -> frozenset[LegId]:
        """Give what a lost core left, and `lost.legs`, to `to` as well; answers which legs were found.

        Those of `staying` are parked there when whoever they talk with leaves, and not hung up. Nothing else that
        others left is there then. May be done again as long as nothing was dropped.
        """
        ...

    async def drop(self, lost: Core, legs: Collection[LegId]) -> None:
        """Take out of a lost core's database what it left, and these legs: they are another's, or nobody's."""
        ...


class Fencer(Protocol):
    """Makes sure that a node that was declared lost does nothing more."""

    async def fence(self, node: str) -> bool:
        """Say whether that is so now. Raises nothing."""
        ...


@dataclass(frozen=True, slots=True)
class NoFencer:
    """Nothing but what is on record keeps a lost node from going on."""

    async def fence(self, node: str) -> bool:  # noqa: ARG002
        return True
