"""The API as an ASGI application, put together from its parts."""

from __future__ import annotations

from functools import partial
from importlib.metadata import version

from fastapi import FastAPI

from controlplane.api import health, media, pages
from controlplane.api.edge import Edge
from controlplane.api.gathered import gather
from controlplane.api.keys import Holders, KeyCheck
from controlplane.api.openapi import DESCRIPTION, TAGS, describe, name_operation
from controlplane.api.parts import ApiParts
from controlplane.api.v1 import (
    account,
    api_keys,
    apps,
    calls,
    control,
    events,
    not_offered,
    numbers,
    placing,
    recordings,
    secrets,
)

_V1 = (calls, placing, control, events, recordings, apps, numbers, secrets, account, api_keys, not_offered)


def build_app(parts: ApiParts) -> FastAPI:
    """Put the API together; the database of `parts` must be open while it serves."""
    app = FastAPI(
        title="Callplane",
        version=version("callplane"),
        description=DESCRIPTION,
        openapi_tags=TAGS,
        redoc_url=None,
        swagger_ui_oauth2_redirect_url=None,
        redirect_slashes=False,
        generate_unique_id_function=name_operation,
        # Off: it would record what tenants send, and takes a third of the time of a request.
        telemetry={"tracing": False, "metrics": False, "logs": False, "operation_spans": False},
    )
    app.state.parts, app.state.gathered = parts, gather(parts.db)
    # Not include_router: a request would look through each of them. Ours before FastAPI's own, the busiest first.
    app.router.routes[:0] = [route for module in (*_V1, media, health, pages) for route in module.router.routes]
    app.openapi = partial(describe, app, parts.public_url)  # type: ignore[method-assign]
    # Not add_middleware: around ours FastAPI has five layers more, of which Edge does the work (and LeanRoute, of one).
    app.middleware_stack = Edge(KeyCheck(app.router, Holders(app.state.gathered.holders, parts.clock)), parts)
    return app
