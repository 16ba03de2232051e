"""The call server as a process: built from settings, run until it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import secrets
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any

from controlplane.base.errors import BadInput, CallplaneError, Unavailable
from controlplane.calls.journal import prepare
from controlplane.callserver.admission import Bounds
from controlplane.callserver.building import NodeParts, Parts, build_call_server
from controlplane.callserver.endless import insist_on
from controlplane.callserver.losses import NoFencer
from controlplane.callserver.server import CallServer
from controlplane.callserver.watchdog import Watchdog
from controlplane.hooks.client import HookClient
from controlplane.metrics.exposition import serving_metrics
from controlplane.metrics.registry import Metrics
from controlplane.settings import Settings
from controlplane.store.channels import CONTROL, CORES, QUEUE, ROUTING
from controlplane.store.database import Database
from controlplane.store.notify import Listener
from controlplane.store.queue import Limits
from controlplane.store.shards import ShardLocks
from controlplane.switch.link import Connect
from controlplane.switch.writing import Writer
from controlplane.wiring.applications import HttpApplications
from controlplane.wiring.clock import SystemClock
from controlplane.wiring.ending import DEFECT, end_at_once
from controlplane.wiring.inbox import DatabaseInbox
from controlplane.wiring.losses import CommandFencer, DatabaseCores, core_databases_of
from controlplane.wiring.meters import measuring_lag, watch_pool
from controlplane.wiring.places import NodeAddress, database_url_of, gateway_of, nodes_of, vault_of
from controlplane.wiring.prompts import building_prompts
from controlplane.wiring.recording import recording
from controlplane.wiring.records import DatabaseArchive, DatabaseJournal
from controlplane.wiring.routing import NumbersInMemory, SigningTokens
from controlplane.wiring.serving import serving_nodes

log = logging.getLogger(__name__)

# The kernel gives an unanswered link up after this; FreeSWITCH sets nothing of the kind on its side.
USER_TIMEOUT_MS = 6000
DATABASE_WAIT_S = 1.0  # what is asked beside live calls can be asked again; while it waits a link waits, too
STOP_WITHIN_S = 6.0  # less than a supervisor waits before it kills (cli/processes.py); a database away takes 15 s
DATABASE_PAUSE_S = 1.0  # between looks, before there is a database at all


class Stopped(CallplaneError):
    """Someone asked to stop before there was anything to do."""

    slug = "stopped"


async def serve_calls(settings: Settings, *, on_ready: Callable[[dict[str, Any]], None]) -> None:
    """Drive calls until SIGTERM or SIGINT. Raises BadInput for unusable settings; a database is waited for.

    Stopping takes STOP_WITHIN_S at most, whatever does not answer: we hold nothing that we may not lose. A defect that
    leaves calls undriven, or their journals unwritten, ends the process with status 70: others take the calls over.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def asked_to_stop() -> None:
        if not stop.is_set():
            loop.call_later(STOP_WITHIN_S, _stop_anyway, os.EX_TEMPFAIL)
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, asked_to_stop)
    watchdog = Watchdog()
    await watchdog.start()
    try:
        with contextlib.suppress(Stopped):
            async with running_call_server(settings, stop) as server:
                await _until(server, stop, on_ready)
    finally:
        await watchdog.stop()


def _stop_anyway(status: int) -> None:
    log.error("stopped_anyway", extra={"after_s": STOP_WITHIN_S})
    end_at_once(status)


async def _until(server: CallServer, stop: asyncio.Event, on_ready: Callable[[dict[str, Any]], None]) -> None:
    stopping = asyncio.ensure_future(stop.wait())
    breaking = asyncio.ensure_future(server.broken.wait())
    try:
        while not (server.is_driving or stopping.done() or breaking.done()):
            await asyncio.wait({stopping, breaking}, timeout=0.05, return_when=asyncio.FIRST_COMPLETED)
        if server.is_driving:
            on_ready({"server": server.id, "nodes": sorted(server.keepers)})
        await asyncio.wait({stopping, breaking}, return_when=asyncio.FIRST_COMPLETED)
        if breaking.done() and not stopping.done():
            asyncio.get_running_loop().call_later(STOP_WITHIN_S, _stop_anyway, DEFECT)
            raise SystemExit(DEFECT)
    finally:
        stopping.cancel()
        breaking.cancel()


@asynccontextmanager
async def running_call_server(settings: Settings, stop: asyncio.Event) -> AsyncIterator[CallServer]:
    """A call server that runs while the block does; begins when there is a database. Raises Stopped before that."""
    url, nodes = database_url_of(settings), nodes_of(settings)
    if not nodes:
        raise BadInput("CALLPLANE_NODES is empty: name the media nodes, or use `callplane up`, which brings one")
    prepare()
    clock, server_id = SystemClock(), _server_id()
    async with AsyncExitStack() as stack:
        metrics = Metrics()
        if settings.metrics_port:
            stack.enter_context(serving_metrics(metrics, settings.metrics_port))
        db = await stack.enter_async_context(Database(url, name="callplane calls", wait_s=DATABASE_WAIT_S))
        watch_pool(metrics, db)
        hooks = await stack.enter_async_context(HookClient(allow_private=settings.allow_private_hooks))
        prompts = await stack.enter_async_context(building_prompts(settings, hooks))
        vault = vault_of(settings)
        on_broken = partial(end_at_once, DEFECT)
        kept = await stack.enter_async_context(recording(settings, url, server_id, vault, metrics, on_broken))
        numbers = NumbersInMemory(db)
        await _insist(numbers.read, stop)
        core_databases = core_databases_of(settings)
        if core_databases is not None:
            stack.push_async_callback(core_databases.close)
        locks_lost = asyncio.Event()
        parts = Parts(
            id=server_id,
            nodes={node.name: _node_parts(settings, node, prompts.recordings_of(node.name)) for node in nodes},
            clock=clock,
            journal=DatabaseJournal(kept.recorder, numbers),
            archive=DatabaseArchive(server_id, db, kept.recorder, kept.heirs),
            applications=HttpApplications(hooks, SigningTokens(numbers, db, vault)),
            prompts=prompts,
            numbers=numbers,
            ownership=ShardLocks(url, server_id, on_lost=locks_lost.set),
            ownership_lost=locks_lost,
            inbox=DatabaseInbox(server_id, db, _limits(settings)),
            meters=metrics,
            public_url=settings.public_url,
            cores=DatabaseCores(db),
            core_databases=core_databases,
            fencer=CommandFencer(settings.fence_command) if settings.fence_command else NoFencer(),
            lost_after_s=settings.node_lost_after_s,
            bounds=bounds_of(settings),
        )
        server = build_call_server(parts)
        await stack.enter_async_context(_hearing(url, server, numbers))
        metrics.watch_active_calls(server.count_calls)
        await stack.enter_async_context(measuring_lag(metrics, clock))
        await stack.enter_async_context(serving_nodes(db, sorted(parts.nodes)))
        await _insist(server.start, stop)
        stack.push_async_callback(server.stop)
        yield server


async def _insist(ask: Callable[[], Awaitable[None]], stop: asyncio.Event) -> None:
    """Ask until the database answers: nobody has to start us behind it. Raises Stopped."""
    while True:
        try:
            await ask()
        except Unavailable as error:
            log.warning("database_awaited", extra={"problem": str(error)})
        else:
            return
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), DATABASE_PAUSE_S)
            raise Stopped


@asynccontextmanager
async def _hearing(url: str, server: CallServer, numbers: NumbersInMemory) -> AsyncIterator[None]:
    """Hear what the database tells, while the block runs."""

    def told(channel: str, _payload: str) -> None:
        match channel:
            case "callplane_queue":
                server.queue_changed()
            case "callplane_control":
                server.requests_changed()
            case "callplane_cores":
                server.cores_changed()
            case _:
                numbers.changed()

    def missed() -> None:
        for channel in (QUEUE, CONTROL, ROUTING, CORES):
            told(channel, "")

    listener = Listener(url, (QUEUE, CONTROL, ROUTING, CORES), on_notify=told, on_gap=missed)
    await listener.start()
    fresh = asyncio.create_task(numbers.keep_fresh(), name="routing")
    insist_on(fresh, server.broken.set)
    try:
        yield
    finally:
        fresh.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await fresh
        await listener.stop()


def _server_id() -> str:
    return f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(2)}"


def _node_parts(settings: Settings, node: NodeAddress, recordings: str) -> NodeParts:
    writer = Writer(settings.sip_profile, gateway_of(settings), recordings, settings.allow_private_hooks)
    return NodeParts(connect_to(node.host, node.port), settings.esl_password.get_secret_value(), writer)


def connect_to(host: str, port: int) -> Connect:
    """Connections to an event socket over TCP."""

    async def connect(factory: Callable[[], asyncio.Protocol]) -> object:
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(5):
            transport, _ = await loop.create_connection(factory, host, port)
        sock = transport.get_extra_info("socket")
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, USER_TIMEOUT_MS)
        return transport

    return connect


def bounds_of(settings: Settings) -> Bounds:
    """From where on new calls are refused."""
    return Bounds(
        loop_lag_s=settings.overload_loop_lag_ms / 1000,
        link_delay_s=settings.overload_link_delay_ms / 1000,
        commit_s=settings.overload_commit_ms / 1000,
        documents=settings.overload_documents,
    )


def _limits(settings: Settings) -> Limits:
    return Limits(
        cps_limit=settings.cps_limit,
        channel_cap=settings.channel_cap,
        gateway=settings.gateway,
        gateway_cps_limit=settings.gateway_cps_limit,
        gateway_channel_cap=settings.gateway_channel_cap,
    )
