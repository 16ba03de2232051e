"""The tables of places are whole: no verb has a row, and no operation a field, that is not tried."""

from __future__ import annotations

from typing import Any

from controlplane.api.app import build_app
from controlplane.api.parts import ApiParts
from controlplane.store.database import Database
from controlplane.verbs.specs import SPECS
from controlplane.verbs.specs import VERBS as VERB_TABLE
from controlplane.wiring.clock import SystemClock
from tests.injection.callers import CALLER_PLACES
from tests.injection.json_places import OBJECTS
from tests.injection.operations import OPERATIONS
from tests.injection.payloads import all_payloads
from tests.injection.places import ELEMENTS
from tests.injection.requests import request_places
from tests.injection.run import application_places
from tests.injection.torture import MAY_CALL, oddities
from tests.postgres.api.things import LabellingEditor, MemoryStorage
from tests.postgres.sample import VAULT

_JSON = "application/json"


def description() -> dict[str, Any]:
    parts = ApiParts(
        Database("postgresql://nobody@127.0.0.1:1/none"), SystemClock(), VAULT, MemoryStorage(), LabellingEditor(),
        "https://api.example", link_keys=(b"l" * 32,),
    )  # fmt: skip
    made: dict[str, Any] = build_app(parts).openapi()
    return made


def test_every_row_of_twiml_is_a_place() -> None:
    tried = {(around.tag, name) for around in ELEMENTS for name in around.fields}
    rows = {(tag, row.twiml) for tag, spec in SPECS.items() for row in spec.rows if row.twiml is not None}
    assert rows - tried == set()
    assert tried - rows == {("Dial", "")}  # the number of a Dial may be its text


def test_every_key_of_json_is_a_place() -> None:
    tried = {f"{one.key}.{name}" for one in OBJECTS for name in one.fields}
    specs = [spec for spec in SPECS.values() if spec.key]
    keys = {f"{spec.key}.{row.field}" for spec in specs for row in spec.rows if row.field}
    keys |= {f"{spec.key}.{spec.children.field}" for spec in specs if spec.children is not None}
    assert keys == tried


def test_every_verb_is_tried() -> None:
    assert set(VERB_TABLE.by_tag) - {around.tag for around in ELEMENTS} == {"Hangup"}  # which has no values


def test_every_field_of_the_api_is_a_place() -> None:
    tried = {
        (place.operation.method.lower(), place.operation.path, place.kind, place.field) for place in request_places()
    }
    described = set(_fields(description()))
    assert described - tried == set()
    assert {place for place in tried if place[2] != "header"} - described == set()


def _fields(api: dict[str, Any]) -> Any:
    """Method, path, where and name of each field of each operation."""
    for path, operations in api["paths"].items():
        for method, operation in operations.items():
            for parameter in operation.get("parameters", ()):
                yield method, path, parameter["in"], parameter["name"]
            content = operation.get("requestBody", {}).get("content", {}).get(_JSON, {}).get("schema", {})
            named = [content, *content.get("anyOf", ())]
            for schema in named:
                if "$ref" in schema:
                    whole = api["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
                    yield from ((method, path, "body", name) for name in whole["properties"])


def test_every_oddity_of_which_a_call_may_come_is_sent() -> None:
    assert set(MAY_CALL) - {oddity.name for oddity in oddities()} == set()


def test_there_are_as_many_as_were_asked_for() -> None:
    assert len(all_payloads()) >= 500
    assert len({payload.id for payload in all_payloads()}) == len(all_payloads())
    names = [place.name for place in application_places()] + [place.name for place in request_places()]
    assert len(names) + len(CALLER_PLACES) >= 40
    assert len(set(names)) == len(names)
    assert len({operation.id for operation in OPERATIONS}) == len(OPERATIONS)
