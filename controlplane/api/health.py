"""Whether this process lives, and whether it can do its work."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from fastapi import APIRouter, Request, Response

from controlplane.api.lean import LeanRoute
from controlplane.api.openapi import name_operation, problems
from controlplane.api.requests import parts_of, to_json
from controlplane.services.check_database import check_database

router = APIRouter(tags=["health"], route_class=LeanRoute, generate_unique_id_function=name_operation)


@dataclass(frozen=True, slots=True)
class Health:
    """All is well."""

    status: Literal["ok"] = "ok"


@router.get("/healthz", response_model=Health)
async def healthz() -> Response:
    """Whether this process answers; nothing else is asked."""
    return _well()


@router.get("/readyz", response_model=Health, responses=problems(503))
async def readyz(request: Request) -> Response:
    """Whether this process can do its work: the database answers."""
    async with parts_of(request).db.autocommit() as tx:
        await check_database(tx)
    return _well()


def _well() -> Response:
    return Response(to_json(Health(), Health), media_type="application/json")
