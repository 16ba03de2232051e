"""Endpoints as FastAPI describes them, called without its dependency machinery, which takes longer than they do.

An endpoint's signature says all: `request`, places of the path (str), at most one body (a pydantic model, or with
`| None`), at most one model of the query (`Annotated[Model, Query()]`). FastAPI reads it for the description; what
comes in is read here, each part by one call of pydantic. Any other signature is refused when the route is made.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cached_property
from types import UnionType
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.middleware.asyncexitstack import AsyncExitStackMiddleware
from fastapi.params import Query
from fastapi.routing import APIRoute
from pydantic import BaseModel, ValidationError
from starlette.types import Receive, Scope, Send

from controlplane.api.errors import NotJson


class LeanRoute(APIRoute):
    """A route whose endpoint is called as this module says; for `APIRouter(route_class=…)`."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **more: Any) -> None:
        super().__init__(path, endpoint, **more)
        plan = plan_of(endpoint)

        async def serve(scope: Scope, receive: Receive, send: Send) -> None:
            response = await plan.answer(Request(scope, receive, send))
            await response(scope, receive, send)

        self.app = serve


class WholeRoute(APIRoute):
    """A route whose endpoint FastAPI calls; it wants a place around it where what it opened is closed (app.py)."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **more: Any) -> None:
        super().__init__(path, endpoint, **more)
        self.app = AsyncExitStackMiddleware(self.app)


@dataclass(frozen=True)
class Plan:
    """How an endpoint is called: the names of its parameters, and what their values are read into."""

    endpoint: Callable[..., Awaitable[Response]]
    request: str | None
    path: tuple[str, ...]
    query: tuple[str, type[BaseModel]] | None
    body: tuple[str, type[BaseModel]] | None
    may_lack_body: bool

    async def answer(self, request: Request) -> Response:
        """Read what the endpoint wants, and call it; raises RequestValidationError, NotJson, what the endpoint does."""
        values: dict[str, Any] = {name: request.path_params[name] for name in self.path}
        if self.request is not None:
            values[self.request] = request
        if self.query is not None:
            name, model = self.query
            values[name] = self._read_query(request, model) if request.scope["query_string"] else self._no_query
        if self.body is not None:
            name, model = self.body
            values[name] = await self._read_body(request, model)
        return await self.endpoint(**values)

    @cached_property
    def _no_query(self) -> BaseModel | None:
        return None if self.query is None else self.query[1]()

    @cached_property
    def _lists(self) -> frozenset[str]:
        """Fields of the query that may be given more than once."""
        fields = {} if self.query is None else self.query[1].model_fields
        return frozenset(name for name, field in fields.items() if list in _kinds(field.annotation))

    def _read_query(self, request: Request, model: type[BaseModel]) -> BaseModel:
        given = request.query_params
        values = {name: given.getlist(name) if name in self._lists else given[name] for name in given}
        try:
            return model.model_validate(values)
        except ValidationError as error:
            raise _refusal("query", error) from error

    async def _read_body(self, request: Request, model: type[BaseModel]) -> BaseModel | None:
        content = await request.body()
        if not content:
            if self.may_lack_body:
                return None
            raise RequestValidationError([{"loc": ("body",), "msg": "Field required", "type": "missing"}])
        if not _is_json(request.headers.get("content-type", "")):
            raise NotJson
        try:
            return model.model_validate_json(content)
        except ValidationError as error:
            raise _refusal("body", error) from error


def plan_of(endpoint: Callable[..., Any]) -> Plan:
    """Read an endpoint's signature; raises TypeError for what is not of the kinds above."""
    hints = get_type_hints(endpoint, include_extras=True)
    request: str | None = None
    path: list[str] = []
    query: tuple[str, type[BaseModel]] | None = None
    body: tuple[str, type[BaseModel]] | None = None
    for name in inspect.signature(endpoint).parameters:
        hint = hints[name]
        kinds = _kinds(hint)
        if hint is Request:
            request = name
        elif hint is str:
            path.append(name)
        elif get_origin(hint) is Annotated and isinstance(hint.__metadata__[0], Query) and _is_model(kinds[0]):
            query = name, kinds[0]
        elif _is_model(kinds[0]) and get_origin(hint) is not Annotated:
            body = name, kinds[0]
        else:
            raise TypeError(f"{endpoint.__qualname__}: {name} is of no kind that a lean route can read")
    may_lack_body = body is not None and type(None) in _kinds(hints[body[0]])
    return Plan(endpoint, request, tuple(path), query, body, may_lack_body)


def _kinds(hint: Any) -> tuple[Any, ...]:
    """The types in a hint: of `Annotated[A, …]`, `A | None` and `list[A]` what they are made of."""
    if get_origin(hint) is Annotated:
        return _kinds(get_args(hint)[0])
    if isinstance(hint, UnionType):
        return tuple(kind for part in get_args(hint) for kind in _kinds(part))
    return (get_origin(hint) or hint,)


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _is_json(content_type: str) -> bool:
    kind = content_type.partition(";")[0].strip().lower()
    return kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))


def _refusal(place: str, error: ValidationError) -> RequestValidationError:
    found = error.errors(include_url=False, include_input=False)
    return RequestValidationError([{**one, "loc": (place, *one["loc"])} for one in found])
