"""Which shards of which nodes a call server drives.

Shards are held by locks that die with us. A server takes what is free: at once while it holds less than its fair share,
a moment later otherwise, so that whoever has fewer comes first; what it holds above its share it gives back. A shard is
driven as soon as it is held and its node was asked what lives there.

When the database is away the locks cannot be looked at; nobody else can take them then either, so we go on with what we
hold. When it is back, what we still can take of it stays ours, the rest is somebody else's and we let go of it. So that
it is the same for all, nobody takes more, or takes anybody for dead, before those who were there have had time to come
back: what they did meanwhile is on their disks (decision 0009). For the same reason nothing is given back before it is
off ours. It may be only from us that the database is away: whoever takes shards marks them on their node, and while our
session is lost we look there again and again, and leave what was taken by another. Only a server that slept, and so may
have been thought dead, does nothing before it has looked (`pulse.py`), there if not at the database.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from controlplane.base.clock import Clock
from controlplane.base.errors import Unavailable
from controlplane.callserver.intake import Intake
from controlplane.callserver.keeper import Keeper
from controlplane.callserver.ports import Ownership
from controlplane.callserver.pulse import SURE_S, Pulse
from controlplane.switch.link import LinkLost
from controlplane.switch.marks import followed, mark_shards

log = logging.getLogger(__name__)

SHARDS = tuple(range(16))
POLL_S = 0.05
AWAY_S = 0.5  # between looks while the database is away
MARKS_S = 0.1  # between looks at the nodes meanwhile
LOOK_S = 1.0  # between looks at who else is there
PATIENCE_S = 0.1  # how long a server with its fair share leaves free shards to others
YIELD_S = 2.0  # after giving shards back, for others to take them
RETURN_S = 5.0  # how long others may take to come back after the database was away


def fair_share(places: int, servers: Sequence[str], server_id: str) -> int:
    """How many of `places` (node, shard) pairs this server should hold; the shares of all add up to `places`.

    A server that nobody sees yet may hold them all.
    """
    if server_id not in servers:
        return places
    rank = sorted(servers).index(server_id)
    return places // len(servers) + (rank < places % len(servers))


@dataclass(slots=True)
class Balance:
    """One server's shards, among those of its peers."""

    id: str
    keepers: Mapping[str, Keeper]
    ownership: Ownership
    clock: Clock
    pulse: Pulse
    intake: Intake
    was_lost: Callable[[], bool]  # whether the session with our locks was found gone
    regained: Callable[[], None]
    _taking: dict[str, asyncio.Task[None]] = field(default_factory=dict)  # by node: shards whose locks we have
    _servers: list[str] = field(default_factory=list)
    _looked_s: float = -LOOK_S
    _yielding_until_s: float = 0.0
    _over_s: float = 0.0  # when more than our share was last taken
    _awaited: frozenset[str] = frozenset()  # who may be about to come back
    _awaited_until_s: float = 0.0

    async def keep(self) -> None:
        """Hold what we should hold, for ever."""
        watching = asyncio.create_task(self._watch_marks())
        try:
            await asyncio.gather(self._keep(), watching)
        finally:
            watching.cancel()
            for taking in self._taking.values():
                taking.cancel()

    async def _keep(self) -> None:
        while True:
            try:
                await self._look()
                await self._balance()
                await self._drive_what_is_held()
            except Unavailable as error:
                log.info("ownership_unknown", extra={"problem": str(error)})
                await self.clock.sleep(AWAY_S)
            await self.clock.sleep(POLL_S)

    async def _watch_marks(self) -> None:
        """While our session is lost: see on the nodes whether somebody else goes on with what we have."""
        while True:
            await self.clock.sleep(MARKS_S)
            if self.was_lost() and self.pulse.is_sure:
                serving = [keeper for keeper in self.keepers.values() if keeper.is_serving and keeper.shards]
                await asyncio.gather(*map(_leave_followed, serving))

    def wait_for_others(self, servers: Iterable[str]) -> None:
        """These may come back to what they held: leave it to them for a while."""
        self._awaited = frozenset(servers) - {self.id}
        self._awaited_until_s = self.clock.monotonic_s() + RETURN_S
        self._servers, self._looked_s = [], -LOOK_S

    @property
    def _share(self) -> int:
        return fair_share(len(SHARDS) * len(self.keepers), self._servers, self.id)

    async def _look(self) -> None:
        if self.was_lost():
            await self._regain()
        if not self.pulse.is_sure:
            await self._look_again()
        now_s = self.clock.monotonic_s()
        # Before anything is given back we look again: whose share it would be may be gone, and its shards here.
        if now_s - self._looked_s >= LOOK_S or len(self.ownership.owned) > self._share or self._awaited:
            # Who is seen for the first time is about to take what it held.
            self._awaited -= frozenset(self._servers) if now_s < self._awaited_until_s else self._awaited
            self._servers, self._looked_s = await self.ownership.live_servers(), now_s
            if not self._awaited:
                await self.ownership.fence()

    async def _balance(self) -> None:
        if self._awaited:
            return
        held, share, now_s = len(self.ownership.owned), self._share, self.clock.monotonic_s()
        if held > share and len(self._servers) > 1:
            if all(keeper.archive.is_settled for keeper in self.keepers.values()):
                await self._give_back(held - share)
        elif held < share or (now_s - self._over_s >= PATIENCE_S and now_s >= self._yielding_until_s):
            self._over_s = now_s
            await self._take_free(share)

    async def _take_free(self, share: int) -> None:
        for name in self.keepers:
            wanted = [shard for shard in SHARDS if (name, shard) not in self.ownership.owned]
            if not wanted:
                continue
            room = share - len(self.ownership.owned)
            taken = await self.ownership.try_take(name, wanted[:room] if room > 0 else wanted)
            if taken:
                log.info("shards_taken", extra={"node": name, "shards": sorted(taken)})

    async def _drive_what_is_held(self) -> None:
        """Drive the shards whose locks we have, and no others.

        A node that does not answer keeps whoever takes its shards waiting, but not those of other nodes; and a lock
        that went meanwhile is found out here.
        """
        for name, keeper in self.keepers.items():
            if not self._has_taken(name) or self.was_lost():
                continue
            held = self._held_on(name)
            if keeper.shards - held:
                await keeper.give(keeper.shards - held)
            if held - keeper.shards:
                keeper.term, keeper.may_be_driven = self.ownership.term, self.ownership.may_be_driven
                self._taking[name] = asyncio.create_task(self._take(keeper, held - keeper.shards))

    def _held_on(self, node: str) -> frozenset[int]:
        return frozenset(shard for where, shard in self.ownership.owned if where == node)

    def _has_taken(self, node: str) -> bool:
        """Say whether nothing is being taken up on a node; a defect that came of that is ours."""
        taking = self._taking.get(node)
        if taking is not None and taking.done():
            self._taking.pop(node).result()
        return node not in self._taking

    async def _take(self, keeper: Keeper, shards: frozenset[int]) -> None:
        try:
            await keeper.archive.settle()  # may take long; some of these may be given back meanwhile
            await keeper.take(shards & self._held_on(keeper.node.name))
        except LinkLost:
            return  # whoever opens the links again asks the node about them
        except Unavailable as error:
            log.info("shards_wait", extra={"node": keeper.node.name, "problem": str(error)})
            await self.clock.sleep(AWAY_S)
        finally:
            self.intake.look()

    async def _give_back(self, surplus: int) -> None:
        self._yielding_until_s = self.clock.monotonic_s() + YIELD_S
        by_node: dict[str, list[int]] = defaultdict(list)
        for node, shard in [one for one in sorted(self.ownership.owned) if not self._is_changing(one[0])][:surplus]:
            by_node[node].append(shard)
        for node, shards in by_node.items():
            async with self.intake.placing:  # a claim that came back after its shard went would be nobody's
                if self._is_changing(node):
                    continue
                await self.keepers[node].give(frozenset(shards))
                await self.ownership.release(node, shards)
            log.info("shards_given_back", extra={"node": node, "shards": shards})

    def _is_changing(self, node: str) -> bool:
        """Nobody is placed while shards are given: that must not wait for a node that does not answer."""
        return self.keepers[node].changing.locked()

    # Locks that may be gone

    async def _look_again(self) -> None:
        """We slept, or hung. Nothing is done before we know that our shards were ours all the while."""
        asked_s = self.clock.monotonic_s()
        log.warning("slept", extra={"server": self.id})
        try:
            await self.ownership.confirm()
        except Unavailable:
            await self._look_at_marks()
            raise
        if self.clock.monotonic_s() - asked_s <= SURE_S:  # else the answer is old news, too
            self._go_on()

    async def _look_at_marks(self) -> None:
        """Others may have had our calls, and may have them now: what is ours later is read from its journal.

        Where the node still has our marks nobody did.
        """
        asked_s = self.clock.monotonic_s()
        await asyncio.gather(*map(_leave_followed, self.keepers.values()))
        if self.clock.monotonic_s() - asked_s <= SURE_S:
            self._go_on()
            return
        await asyncio.gather(*(keeper.give(keeper.shards) for keeper in self.keepers.values()))
        self.pulse.forget()

    def _go_on(self) -> None:
        was_refused = self.pulse.was_refused
        self.pulse.go_on()
        if was_refused:
            for keeper in self.keepers.values():
                keeper.node.abort("something was not sent after a sleep")

    async def _regain(self) -> None:
        if not self.pulse.is_sure:
            log.warning("slept", extra={"server": self.id})
            await self._look_at_marks()
        await self.ownership.open()
        self.regained()  # at once: it may be lost again while we let go of what is gone
        self.wait_for_others((*self._awaited, *self._servers))
        for name, keeper in self.keepers.items():
            kept = await self.ownership.try_take(name, sorted(keeper.shards)) if keeper.shards else frozenset()
            keeper.term = self.ownership.term
            with suppress(LinkLost):  # whoever opens the links again marks them
                mark_shards(keeper.node, kept, keeper.term)
            gone = keeper.shards - kept
            if gone:
                log.warning("shards_lost", extra={"node": name, "shards": sorted(gone)})
                await keeper.give(gone)


async def _leave_followed(keeper: Keeper) -> None:
    """Leave what others took since, at once. A node that cannot be asked is when its links are opened again."""
    try:
        gone = await followed(keeper.node, keeper.shards, lambda: keeper.term)
    except LinkLost:
        return
    if gone:
        log.warning("shards_followed", extra={"node": keeper.node.name, "shards": sorted(gone)})
        keeper.quit(gone)
        await keeper.give(gone)
