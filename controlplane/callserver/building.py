"""A call server put together from its parts."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

from controlplane.base.causes import Cause
from controlplane.base.clock import Clock
from controlplane.base.ids import LegId
from controlplane.calls.facts import Facts
from controlplane.callserver.admission import Bounds
from controlplane.callserver.adopting import Adopting
from controlplane.callserver.arrivals import Arrivals
from controlplane.callserver.asking import Questions
from controlplane.callserver.balancing import Balance
from controlplane.callserver.call import LiveCall
from controlplane.callserver.crowd import Crowd
from controlplane.callserver.custody import Custody
from controlplane.callserver.dialling import Dialling
from controlplane.callserver.effects import Effects
from controlplane.callserver.failover import Failover
from controlplane.callserver.gate import Gate, Gatekeeper, TimedJournal
from controlplane.callserver.hopeless import Hopeless
from controlplane.callserver.intake import Intake
from controlplane.callserver.keeper import Keeper
from controlplane.callserver.leftovers import Leftovers
from controlplane.callserver.letting_go import Unsaved
from controlplane.callserver.losses import CoreDatabases, Cores, Fencer, NoFencer
from controlplane.callserver.matching import Matching
from controlplane.callserver.offers import ALL_BUSY, NO_SUCH_NUMBER, facts_of, number_of
from controlplane.callserver.outlet import Outlet
from controlplane.callserver.overlays import Overlays
from controlplane.callserver.ports import Applications, Archive, Inbox, Journal, Meters, Numbers, Ownership, Prompts
from controlplane.callserver.pulse import Pulse
from controlplane.callserver.reception import Reception
from controlplane.callserver.ringing import Ringing
from controlplane.callserver.server import CallServer
from controlplane.switch.link import Connect
from controlplane.switch.node import Node
from controlplane.switch.translation import Offered
from controlplane.switch.writing import Writer

# How long a node may be out of reach. A party that hears nothing for so long is gone; but one whose node only we cannot
# reach talks on, and should not be ended for that.
ADOPTED_AFTER_S = 10.0
LOST_AFTER_S = 60.0


@dataclass(frozen=True, slots=True)
class NodeParts:
    """One media node: how to reach it, and how to write for it."""

    connect: Connect
    password: str
    writer: Writer


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything a call server is made of."""

    id: str
    nodes: Mapping[str, NodeParts]
    clock: Clock
    journal: Journal
    archive: Archive
    applications: Applications
    prompts: Prompts
    numbers: Numbers
    ownership: Ownership
    ownership_lost: asyncio.Event
    inbox: Inbox
    meters: Meters
    public_url: str
    cores: Cores
    core_databases: CoreDatabases | None = None  # None: the calls of a node that dies end with it
    fencer: Fencer = field(default_factory=NoFencer)
    lost_after_s: float = 0.0  # 0: ADOPTED_AFTER_S with core databases, else LOST_AFTER_S
    bounds: Bounds = field(default_factory=Bounds)


def build_call_server(parts: Parts) -> CallServer:
    """Put the parts together; nothing runs yet."""
    pulse = Pulse(parts.clock)
    journal = TimedJournal(parts.journal, parts.clock)
    keepers: dict[str, Keeper] = {}

    def count_own(app: str) -> int:
        return sum(keeper.effects.own.count(app) for keeper in keepers.values())

    crowd, unsaved = Crowd(parts.archive, parts.clock, count_own), Unsaved()
    keepers |= {name: _keeper(parts, name, node, pulse, journal, crowd, unsaved) for name, node in parts.nodes.items()}
    intake = Intake(keepers, parts.inbox, parts.clock)
    lost = parts.ownership_lost
    balance = Balance(parts.id, keepers, parts.ownership, parts.clock, pulse, intake, lost.is_set, lost.clear)

    def documents() -> int:
        return sum(len(keeper.effects.questions) for keeper in keepers.values())

    gatekeeper = Gatekeeper(
        tuple(keeper.gate for keeper in keepers.values()), journal, documents, parts.clock, intake.look
    )
    failover = _failover(parts, keepers, pulse)
    return CallServer(
        parts.id, keepers, parts.ownership, balance, intake, gatekeeper, crowd, failover, parts.clock, pulse
    )


def _failover(parts: Parts, keepers: Mapping[str, Keeper], pulse: Pulse) -> Failover:
    profiles = {node.writer.profile for node in parts.nodes.values()}
    adopting = Adopting(
        parts.id,
        {name: keeper.node for name, keeper in keepers.items()},
        min(profiles, default=""),
        parts.cores,
        parts.core_databases,
        parts.fencer,
        parts.clock,
        pulse,
        lambda name: keepers[name].gate.is_open,
    )
    usual_s = LOST_AFTER_S if parts.core_databases is None else ADOPTED_AFTER_S
    failover = Failover(keepers, parts.cores, adopting, parts.clock, parts.lost_after_s or usual_s)
    adopting.given = failover.stir
    return failover


def _keeper(
    parts: Parts,
    name: str,
    node_parts: NodeParts,
    pulse: Pulse,
    journal: TimedJournal,
    crowd: Crowd,
    unsaved: Unsaved,
) -> Keeper:
    calls: dict[LegId, LiveCall] = {}
    node = Node(name, node_parts.connect, node_parts.password, parts.clock, _nothing, _nothing)
    outlet = Outlet(node, node_parts.writer, pulse)
    dialling = Dialling(outlet, calls)
    overlays = Overlays(outlet, parts.prompts)
    ringing = Ringing(outlet, parts.clock)
    questions = Questions(parts.applications, parts.meters)
    effects = Effects(
        outlet, dialling, questions, parts.prompts, overlays, ringing, parts.numbers, parts.meters, calls, unsaved
    )

    def answer_offer(offered: Offered, on_node: str) -> Facts | Cause:
        route = parts.numbers.maybe_route(number_of(offered.dialled_number))
        if route is None:
            return NO_SUCH_NUMBER
        if not crowd.has_room(route):
            return ALL_BUSY
        return facts_of(offered, route, node=on_node, salt=secrets.token_hex(8), public_url=parts.public_url)

    matching, custody = Matching(node, effects, parts.clock), Custody(node, parts.cores, parts.clock)
    arrivals = Arrivals(custody, matching, calls)
    gate = Gate(name, parts.bounds, parts.meters, lambda: node.delay_s)
    keeper = Keeper(
        parts.id,
        node,
        effects,
        matching,
        parts.archive,
        parts.clock,
        pulse,
        gate,
        custody,
        Hopeless(outlet, parts.archive, calls),
        Leftovers(outlet, parts.archive),
        arrivals,
        Reception(name, effects, arrivals, journal, parts.clock, pulse, gate, answer_offer, calls),
        calls,
    )
    node.on_news = keeper.on_news
    return keeper


def _nothing(_: object) -> None:
    pass
