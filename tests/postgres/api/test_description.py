from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from httpx import AsyncClient

from controlplane.verbs.schema import document_schema


def operations(described: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        f"{method.upper()} {path}": operation
        for path, ways in described["paths"].items()
        for method, operation in ways.items()
    }


async def test_every_operation_is_described_for_people_and_programs(anyone: AsyncClient, app: FastAPI) -> None:
    described = (await anyone.get("/openapi.json")).json()
    all_of_them = operations(described)

    assert described["openapi"].startswith("3.1")
    assert described["servers"] == [{"url": "https://calls.example.com"}]
    ids = [operation["operationId"] for operation in all_of_them.values()]
    assert sorted(set(ids)) == sorted(ids)
    tags = {tag["name"] for tag in described["tags"]}
    for name, operation in all_of_them.items():
        assert set(operation["tags"]) <= tags, name
        assert operation["description"].endswith("."), name


async def test_errors_of_every_operation_are_problem_documents(anyone: AsyncClient) -> None:
    described = (await anyone.get("/openapi.json")).json()

    for name, operation in operations(described).items():
        if name.split(" ")[1].startswith("/api/"):
            assert {"403", "422", "503"} <= set(operation["responses"]), name
            assert operation["security"] == [{"key": []}, {"bearer": []}]
        for status, response in operation["responses"].items():
            if status >= "400":
                assert list(response["content"]) == ["application/problem+json"], (name, status)
    assert "HTTPValidationError" not in described["components"]["schemas"]


async def test_every_reference_leads_somewhere(anyone: AsyncClient) -> None:
    described = (await anyone.get("/openapi.json")).json()

    for reference in references(described):
        place: Any = described
        for step in reference.removeprefix("#/").split("/"):
            place = place[step]


async def test_the_description_can_be_read_in_a_browser(anyone: AsyncClient) -> None:
    page = await anyone.get("/docs")

    assert (page.status_code, "Callplane" in page.text) == (200, True)
    assert "cdn.jsdelivr.net" in page.headers["content-security-policy"]


async def test_the_shape_of_a_document_stands_where_it_is_given(anyone: AsyncClient) -> None:
    schemas = (await anyone.get("/openapi.json")).json()["components"]["schemas"]

    for body in ("CallBody", "Redirect"):
        kinds = schemas[body]["properties"]["document"]["anyOf"]
        assert [kind.get("$ref", kind.get("type")) for kind in kinds] == [
            "#/components/schemas/CallDocument", "string", "null",
        ]  # fmt: skip
    assert schemas["DocumentVerb"]["properties"]["say"] == {"$ref": "#/components/schemas/DocumentSay"}


async def test_the_schema_of_documents_is_there_for_editors(anyone: AsyncClient) -> None:
    answer = await anyone.get("/schemas/call-document.json")

    assert (answer.headers["content-type"], answer.json()) == ("application/schema+json", document_schema())


def references(part: Any) -> list[str]:
    if isinstance(part, dict):
        own = [part["$ref"]] if isinstance(part.get("$ref"), str) else []
        return own + [found for value in part.values() for found in references(value)]
    return [found for value in part for found in references(value)] if isinstance(part, list) else []
