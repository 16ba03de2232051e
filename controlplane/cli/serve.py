"""`callplane serve api|calls`, `callplane worker`, `callplane migrate`: one process each, for a cluster."""

from __future__ import annotations

import asyncio
import json
from typing import Annotated, Any

import typer


def register(app: typer.Typer) -> None:
    """Add the commands."""
    serve = typer.Typer(name="serve", help="Run one process of a cluster.", no_args_is_help=True)
    serve.command("api")(_api)
    serve.command("calls")(_calls)
    serve.command("files")(_files)
    serve.command("guard")(_guard)
    serve.command("emulator")(_emulator)
    app.add_typer(serve)
    app.command("worker")(_worker)
    app.command("migrate")(_migrate)


def ready(facts: dict[str, Any]) -> None:
    """Tell whoever started us that we are at work: one JSON line."""
    print(json.dumps({"ready": facts}), flush=True)


def _api(
    *,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on; 0: a free one.")] = 8080,
) -> None:
    """Serve tenants' REST interface."""
    from controlplane.cli.environment import read_settings
    from controlplane.metrics.logs import configure_logging
    from controlplane.wiring.api import serve_api
    from controlplane.wiring.loops import run

    settings = read_settings()
    configure_logging(settings.log_level)
    run(serve_api(settings, host, port, on_ready=ready))


def _calls() -> None:
    """Drive calls on the media nodes of CALLPLANE_NODES."""
    from controlplane.cli.environment import read_settings
    from controlplane.metrics.logs import configure_logging
    from controlplane.wiring.calls import serve_calls
    from controlplane.wiring.loops import run

    settings = read_settings()
    configure_logging(settings.log_level)
    run(serve_calls(settings, on_ready=ready))


def _files(
    *,
    host: Annotated[str, typer.Option(help="Address to listen on, in a private network.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on; 0: a free one.")] = 8090,
) -> None:
    """Run on a media node that shares no folder: give it prompts and take its recordings."""
    from controlplane.cli.environment import read_settings
    from controlplane.metrics.logs import configure_logging
    from controlplane.wiring.files import serve_files
    from controlplane.wiring.loops import run

    settings = read_settings()
    configure_logging(settings.log_level)
    run(serve_files(settings, host, port, on_ready=ready))


def _guard(*, port: Annotated[int, typer.Option(help="Port of the event socket on this machine.")] = 8021) -> None:
    """Run on a media node, as root or with CAP_NET_ADMIN: end links to its event socket that nobody reads."""
    from controlplane.cli.environment import read_settings
    from controlplane.metrics.logs import configure_logging
    from controlplane.wiring.guard import serve_guard
    from controlplane.wiring.loops import run

    settings = read_settings()
    configure_logging(settings.log_level)
    run(serve_guard(settings, port, on_ready=ready))


def _emulator(
    *, port: Annotated[int, typer.Option(help="Port of the event socket on loopback; 0: a free one.")] = 8021
) -> None:
    """Be a media node without FreeSWITCH: whoever is dialled answers and listens."""
    from controlplane.cli.environment import read_settings
    from controlplane.metrics.logs import configure_logging
    from controlplane.wiring.emulator import serve_emulator

    settings = read_settings()
    configure_logging(settings.log_level)
    asyncio.run(serve_emulator(settings, port, on_ready=ready))


def _worker() -> None:
    """Do background work: deliveries, recordings, sweeps."""
    from controlplane.cli.environment import read_settings
    from controlplane.metrics.logs import configure_logging
    from controlplane.wiring.worker import run_worker

    settings = read_settings()
    configure_logging(settings.log_level)
    run_worker(settings, on_ready=ready)


def _migrate() -> None:
    """Bring the database to what this version needs."""
    from controlplane.cli.environment import read_settings
    from controlplane.store.migrate import migrate
    from controlplane.wiring.places import database_url_of

    applied = migrate(database_url_of(read_settings()))
    print("\n".join(f"applied {name}" for name in applied) or "nothing to do")
