"""The REST interface as a process."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from hashlib import sha256
from typing import Any

from controlplane.api.app import build_app
from controlplane.api.parts import ApiParts
from controlplane.files.workshop import Workshop
from controlplane.metrics.exposition import serving_metrics
from controlplane.metrics.registry import Metrics
from controlplane.settings import Settings
from controlplane.store.database import Database
from controlplane.wiring.clock import SystemClock
from controlplane.wiring.files import storage_of
from controlplane.wiring.http import serve_http
from controlplane.wiring.meters import measuring_lag, watch_pool
from controlplane.wiring.places import database_url_of, secret_keys_of, vault_of

DATABASE_WAIT_S = 2.0  # then whoever asked is told to come again: 503


async def serve_api(settings: Settings, host: str, port: int, *, on_ready: Callable[[dict[str, Any]], None]) -> None:
    """Serve until SIGTERM or SIGINT. Raises BadInput for unusable settings or a port that is taken."""
    async with api_parts(settings) as parts:
        app = build_app(parts)
        app.openapi()
        _spare_garbage_collection()
        await serve_http(app, host, port, on_ready=on_ready)


def _spare_garbage_collection() -> None:
    """Leave out of every search what was made so far and stays: schemas and routes, more than any requests make."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 100)


@asynccontextmanager
async def api_parts(settings: Settings) -> AsyncIterator[ApiParts]:
    """What the API is made of, while the block runs."""
    url, metrics, clock = database_url_of(settings), Metrics(), SystemClock()
    async with AsyncExitStack() as stack:
        if settings.metrics_port:
            stack.enter_context(serving_metrics(metrics, settings.metrics_port))
        db = await stack.enter_async_context(Database(url, name="callplane api", wait_s=DATABASE_WAIT_S))
        watch_pool(metrics, db)
        await stack.enter_async_context(measuring_lag(metrics, clock))
        workshop = Workshop()
        stack.push_async_callback(workshop.close)
        yield ApiParts(
            db=db,
            clock=clock,
            vault=vault_of(settings),
            storage=storage_of(settings),
            editor=workshop,
            public_url=settings.public_url.rstrip("/"),
            link_keys=tuple(sha256(b"callplane links" + key).digest() for key in secret_keys_of(settings)),
            meter=metrics,
        )
