"""Where links of this API lead: what a kind of problem means, what a call document may hold."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import Field

from controlplane.api.errors import NoSuchPath
from controlplane.api.lean import LeanRoute
from controlplane.api.openapi import name_operation, problems
from controlplane.api.problems import title_of
from controlplane.api.requests import to_json
from controlplane.base.errors import CallplaneError
from controlplane.verbs.schema import document_schema

router = APIRouter(tags=["reference"], route_class=LeanRoute, generate_unique_id_function=name_operation)

_SCHEMA = "application/schema+json"


@dataclass(frozen=True, slots=True)
class ProblemKind:
    """A kind of problem."""

    type: str
    title: str
    status: Annotated[int, Field(description="The HTTP status it comes with.")]


@router.get("/problems/{slug}", name="get_problem_kind", response_model=ProblemKind, responses=problems(404, 422))
async def show_problem_kind(slug: str) -> Response:
    """What a kind of problem means."""
    for kind in _kinds(CallplaneError):
        if kind.slug == slug:
            shape = ProblemKind(f"/problems/{slug}", title_of(kind), kind.http_status)
            return Response(to_json(shape, ProblemKind), media_type="application/json")
    raise NoSuchPath


@router.get(
    "/schemas/call-document.json",
    name="get_document_schema",
    response_class=Response,
    responses={200: {"content": {_SCHEMA: {"schema": {"type": "object"}}}}},
)
async def show_document_schema() -> Response:
    """The JSON Schema of call documents, for editors and for programs that write them."""
    return Response(json.dumps(document_schema()), media_type=_SCHEMA)


def _kinds(kind: type[CallplaneError]) -> Iterator[type[CallplaneError]]:
    for one in kind.__subclasses__():
        yield one
        yield from _kinds(one)
