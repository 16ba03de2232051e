from __future__ import annotations

from typing import Annotated, Any

import httpx
import pytest
from fastapi import APIRouter, FastAPI, Query, Request, Response
from httpx import ASGITransport, AsyncClient
from pydantic import BaseModel, ConfigDict, Field

from controlplane.api.lean import LeanRoute, plan_of


class Asked(BaseModel):
    limit: Annotated[int, Field(ge=1)] = 5
    names: list[str] | None = None
    last: str = ""


class Body(BaseModel):
    model_config = ConfigDict(strict=True)

    number: int


router = APIRouter(route_class=LeanRoute)


@router.get("/asked/{place}")
async def asked(place: str, which: Annotated[Asked, Query()]) -> Response:
    return Response(f"{place} {which!r}")


@router.post("/body")
async def body(request: Request, what: Body) -> Response:
    return Response(f"{request.method} {what!r}")


@router.post("/maybe")
async def maybe(what: Body | None = None) -> Response:
    return Response(repr(what))


async def ask(method: str, path: str, **more: Any) -> httpx.Response:
    app = FastAPI()
    app.router.routes.extend(router.routes)
    async with AsyncClient(transport=ASGITransport(app), base_url="http://api") as client:
        return await client.request(method, path, **more)


async def test_path_and_query_are_read_into_what_the_endpoint_names() -> None:
    answer = await ask("GET", "/asked/here?limit=7&names=a&names=b&last=x&last=y&unknown=1")

    assert answer.text == "here Asked(limit=7, names=['a', 'b'], last='y')"
    assert (await ask("GET", "/asked/here")).text == "here Asked(limit=5, names=None, last='')"


async def test_what_does_not_fit_is_refused_with_its_place() -> None:
    query = await ask("GET", "/asked/here?limit=0")
    content = await ask("POST", "/body", json={"number": "1"})
    nothing = await ask("POST", "/body")

    assert [(answer.status_code, answer.json()["detail"][0]["loc"]) for answer in (query, content, nothing)] == [
        (422, ["query", "limit"]),
        (422, ["body", "number"]),
        (422, ["body"]),
    ]


async def test_a_body_is_read_once_and_strictly() -> None:
    assert (await ask("POST", "/body", json={"number": 1})).text == "POST Body(number=1)"
    assert (await ask("POST", "/maybe", json={"number": 1})).text == "Body(number=1)"
    assert (await ask("POST", "/maybe")).text == "None"


async def test_the_description_says_the_same() -> None:
    app = FastAPI()
    app.router.routes.extend(router.routes)
    paths = app.openapi()["paths"]

    assert [(one["name"], one["in"]) for one in paths["/asked/{place}"]["get"]["parameters"]] == [
        ("place", "path"), ("limit", "query"), ("names", "query"), ("last", "query"),
    ]  # fmt: skip
    assert paths["/body"]["post"]["requestBody"]["required"] is True


def test_a_signature_that_cannot_be_read_is_refused() -> None:
    async def endpoint(number: int) -> Response:
        return Response(str(number))

    with pytest.raises(TypeError, match="number is of no kind"):
        plan_of(endpoint)
