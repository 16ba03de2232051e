"""`callplane up`: everything on this machine, in one command."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import secrets
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from controlplane.cli.processes import Supervisor
    from controlplane.settings import Settings

MOST_RESTARTS = 5  # of one process within a minute; the emulator is none of them, as its port would be another


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("up")(_up)


def _up(
    *,
    port: Annotated[int, typer.Option(help="Port of the REST interface on loopback; 0: a free one.")] = 8080,
    data: Annotated[Path | None, typer.Option(help="Folder for everything that is kept (CALLPLANE_DATA).")] = None,
    freeswitch: Annotated[
        str, typer.Option(help="auto (a real one if there is one), emulator, or HOST:PORT of an event socket.")
    ] = "auto",
) -> None:
    """Run everything: database, API, call server, worker, and FreeSWITCH or its emulator.

    Prints one line `ready http://…` when calls can be made, and stops everything on SIGTERM or Ctrl-C. A process that
    ends is started again, and that is told; if it goes on ending everything is stopped.
    """
    from controlplane.cli.environment import read_settings
    from controlplane.cli.processes import Stopped

    host, _, esl_port = freeswitch.rpartition(":")
    if freeswitch not in ("auto", "emulator") and not (host and esl_port.isdecimal()):
        raise typer.BadParameter(
            f"{freeswitch!r} is neither auto nor emulator nor HOST:PORT", param_hint="--freeswitch"
        )
    settings = read_settings()
    if data is not None:
        settings = settings.model_copy(update={"data": data})
    with contextlib.suppress(Stopped):
        asyncio.run(_run(settings.model_copy(update={"data": settings.data.absolute()}), port, freeswitch))


@dataclass(frozen=True, slots=True)
class NodeUp:
    """The media node of this machine: its event socket, and what it is for people to read."""

    address: str
    password: str
    kind: str
    gateway: str


async def _run(settings: Settings, port: int, freeswitch: str) -> None:
    from controlplane.cli.ports import free_port
    from controlplane.cli.processes import Child, Supervisor
    from controlplane.cli.reach import metrics_ports
    from controlplane.wiring.places import prompts_folder, recordings_folder

    for folder in (prompts_folder(settings), recordings_folder(settings)):
        folder.mkdir(parents=True, exist_ok=True)
    supervisor = Supervisor(_print_line)
    supervisor.obey_signals()  # from the first: a database that was being started would outlive us
    async with _alone(settings.data), _database(settings) as url, supervisor:
        supervisor.go_on()
        node = await _node(supervisor, settings, freeswitch)
        environment = {
            "CALLPLANE_DATA": str(settings.data),
            "CALLPLANE_DATABASE_URL": url,
            "CALLPLANE_NODES": f"local={node.address}",
            "CALLPLANE_ESL_PASSWORD": node.password,
            "CALLPLANE_GATEWAY": node.gateway,
            "PYTHONUNBUFFERED": "1",
        }
        port = port or free_port()
        if "public_url" not in settings.model_fields_set:
            environment["CALLPLANE_PUBLIC_URL"] = f"http://127.0.0.1:{port}"
        commands = {
            "calls": ("serve", "calls"),
            "worker": ("worker",),
            "api": ("serve", "api", "--port", str(port)),
        }
        metrics = metrics_ports(settings)
        children = [
            Child(
                name,
                (sys.executable, "-m", "controlplane.cli", *command),
                {**environment, "CALLPLANE_METRICS_PORT": str(metrics[name])},
                most_restarts=MOST_RESTARTS,
            )
            for name, command in commands.items()
        ]
        await asyncio.gather(*(supervisor.start(child) for child in children))
        print(f"media node: {node.kind}", file=sys.stderr)
        print(f"ready http://127.0.0.1:{port}", flush=True)
        await supervisor.wait()


@asynccontextmanager
async def _database(settings: Settings) -> AsyncIterator[str]:
    """The address of a database that is up to date; an embedded one where none is set."""
    from controlplane.store.embedded import start
    from controlplane.store.migrate import migrate

    if settings.database_url is not None:
        url = settings.database_url.get_secret_value()
        await asyncio.to_thread(migrate, url)
        yield url
        return
    embedded = await asyncio.to_thread(start, settings.data / "postgresql")
    try:
        await asyncio.to_thread(migrate, embedded.url)
        yield embedded.url
    finally:
        await asyncio.to_thread(embedded.stop)


async def _node(supervisor: Supervisor, settings: Settings, freeswitch: str) -> NodeUp:
    from controlplane.cli.freeswitch import find_freeswitch, freeswitch_child, loopback_node
    from controlplane.cli.processes import Child
    from controlplane.cli.reach import metrics_ports
    from controlplane.wiring.places import prompts_folder, recordings_folder

    if freeswitch not in ("auto", "emulator"):
        password = settings.esl_password.get_secret_value()
        return NodeUp(freeswitch, password, f"the one at {freeswitch}", settings.gateway or "gateway.invalid")
    program = find_freeswitch(settings.freeswitch) if freeswitch == "auto" else None
    password = secrets.token_hex(16)
    if program is None:
        child = Child(
            "emulator",
            (sys.executable, "-m", "controlplane.cli", "serve", "emulator", "--port", "0"),
            {
                "CALLPLANE_ESL_PASSWORD": password,
                "CALLPLANE_METRICS_PORT": str(metrics_ports(settings)["emulator"]),
                "PYTHONUNBUFFERED": "1",
            },
        )
        facts = await supervisor.start(child)
        assert isinstance(facts, dict)
        gateway = settings.gateway or "gateway.invalid"
        return NodeUp(f"127.0.0.1:{facts['port']}", password, "the emulator (no FreeSWITCH on this machine)", gateway)
    node = loopback_node(
        settings.data / "freeswitch",
        esl_password=password,
        sip_profile=settings.sip_profile,
        door_watchdog_s=settings.door_watchdog_s,
        prompts=prompts_folder(settings),
        recordings=recordings_folder(settings),
    )
    await supervisor.start(replace(freeswitch_child(program, node), most_restarts=MOST_RESTARTS))
    kind = f"FreeSWITCH ({program}), SIP on 127.0.0.1:{node.sip_port}"
    # Without a gateway numbers are dialled on this machine: those of its tenants ring, others are not known.
    gateway = settings.gateway or f"{node.sip_address}:{node.sip_port}"
    return NodeUp(f"{node.esl_address}:{node.esl_port}", password, kind, gateway)


@asynccontextmanager
async def _alone(data: Path) -> AsyncIterator[None]:
    """Keep another `up` from the folder: the two would take each other's node for their own. Raises BadInput."""
    from controlplane.base.errors import BadInput

    with (data / "up.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BadInput(
                f"another `callplane up` uses {data}: stop it, or give this one a folder with --data"
            ) from None
        yield


def _print_line(name: str, line: str) -> None:
    print(f"{name:10} {line}", file=sys.stderr)
