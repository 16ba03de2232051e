"""What /openapi.json says besides what the endpoints say themselves: keys, problems, what tags mean."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from controlplane.api.document_schema import components
from controlplane.api.keys import PREFIX
from controlplane.api.lean import LeanRoute
from controlplane.api.problems import MEDIA_TYPE, schema

DESCRIPTION = """
Place calls, steer them while they are live, read what became of them.

**Keys.** Every request carries an API key, in `x-api-key` or as a bearer token. A missing or wrong one is answered with
403. A key that was revoked may work for another second. What is not in the key's account is not there: 404.

**Errors** are problem documents (RFC 9457) with a stable `code`.

**Doing nothing twice.** Any `POST` may carry an `Idempotency-Key` (1 to 255 characters). The same
request with the same key is carried out once and answered the same way for 24 hours; another request with that key is
answered with 422, one that is still under way with 409.

**Lists** come newest first, in pages: pass `next_cursor` on as `cursor_after`.

**Documents** say what a call does: TwiML, or our JSON, whose shape is `CallDocument` below and at
[/schemas/call-document.json](/schemas/call-document.json). A document given with a request is checked at once, as a
whole, and `errors` name the place in it.

Fields of a request that are not known are passed over; fields of the wrong type are refused.
"""

TAGS = [
    {"name": "calls", "description": "Place calls and read what became of them."},
    {"name": "live control", "description": "Ask something of a call that is live. Each request is answered at once; "
     "the call does it in its own time, and the call's events and timeline tell when."},
    {"name": "apps", "description": "What answers calls: a URL of yours and its settings."},
    {"name": "numbers", "description": "Your numbers, and the apps they lead to."},
    {"name": "recordings", "description": "What was recorded."},
    {"name": "events", "description": "What your webhooks were told, and whether they heard it."},
    {"name": "secrets", "description": "What signs your webhooks."},
    {"name": "account", "description": "Your account and its keys."},
    {"name": "reference", "description": "What the `type` of a problem means, and what a call document may hold."},
    {"name": "health", "description": "For those who run this platform."},
]  # fmt: skip

_MEANING = {
    400: "The body is not JSON.",
    403: "The API key is missing, wrong or revoked.",
    404: "There is no such thing in this account.",
    409: "The thing is not in a state that allows this.",
    410: "It is too late for that.",
    413: "The body is too large.",
    415: "The body does not say that it is JSON.",
    422: "The request does not fit.",
    501: "This platform does not offer that.",
    503: "Not possible right now; `Retry-After` says when to come again.",
}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """These answers of an endpoint, as problem documents."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": _MEANING[status], "content": content} for status in statuses}


ALWAYS = problems(403, 422, 503)


def v1_router(tag: str, *statuses: int) -> APIRouter:
    """A router of the API proper; every operation may answer with these problems besides the usual."""
    return APIRouter(
        prefix=PREFIX, tags=[tag], responses=ALWAYS | problems(*statuses), route_class=LeanRoute,
        generate_unique_id_function=name_operation,
    )  # fmt: skip


def name_operation(route: APIRoute) -> str:
    """The operation's id: the endpoint's own name."""
    return route.name


def describe(app: FastAPI, public_url: str) -> dict[str, Any]:
    """The whole description; kept after it was made once."""
    if app.openapi_schema is None:
        made = get_openapi(
            title=app.title, version=app.version, description=app.description, routes=app.routes, tags=app.openapi_tags,
            servers=[{"url": public_url}],
        )  # fmt: skip
        parts = made.setdefault("components", {})
        parts.setdefault("schemas", {}).update(schema() | components())
        parts["securitySchemes"] = {
            "key": {"type": "apiKey", "in": "header", "name": "x-api-key"},
            "bearer": {"type": "http", "scheme": "bearer"},
        }
        for path, operations in made["paths"].items():
            for operation in operations.values():
                operation["security"] = [{"key": []}, {"bearer": []}] if path.startswith("/api/") else []
        app.openapi_schema = made
    return app.openapi_schema
