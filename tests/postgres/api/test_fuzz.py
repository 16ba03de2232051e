"""Whatever comes in, an answer of ours goes out: no operation breaks, and what is refused is a problem document."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from controlplane.store.database import Database
from controlplane.store.journal import Recorder
from tests.postgres.api.recorded import recorded, stored
from tests.postgres.api.tenants import APP, CALL, Tenant
from tests.postgres.api.things import MemoryStorage

_EXAMPLES = os.environ.get("CALLPLANE_FUZZ_EXAMPLES")  # others than always, and more (tests/fuzz/__main__.py)
_TEXT = st.text(max_size=30) | st.sampled_from(
    ["", "\x00", "a\x00b", "\ud800", "+15550001111", "-1", "1e400", "null", "${x}", "'--", "sip:a@b", "\r\nX: y",
     "http://app.example.com/", "2026-01-01T00:00:00Z", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59",
     "cs_01HF7YAT0000000000000000ZZ", "va_7ZZZZZZZZZZZZZZZZZZZZZZZZZ", "٣", "🦀" * 20]
)  # fmt: skip
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | _TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXT, inner, max_size=4),
    max_leaves=8,
)
_HEADERS = st.fixed_dictionaries(
    {},
    optional={
        "range": st.sampled_from(["bytes=0-", "bytes=-5", "bytes=9-2", "bytes=999999-", "bytes=0-1,3-4", "x"]),
        "accept": st.sampled_from(["text/plain", "*/*", ""]),
        "idempotency-key": st.sampled_from(["one", "", "x" * 256, "a\tb"]),
        "content-type": st.sampled_from(["", "text/plain", "application/json; charset=utf-16", "application/a+json"]),
    },
)
_OF_ANY_REQUEST = frozenset({"400", "404", "405", "413", "415"})  # what came in is no request of this operation's
_WELL: dict[str, Mapping[str, object]] = {
    "initiate_call": CALL,
    "initiate_call_deprecated": CALL,
    "create_call": {**CALL, "document": None, "record": True},
    "create_app": APP,
    "update_app": {"name": "Other", "channel_limit": 4},
    "create_secret": {"name": "main"},
    "create_api_key": {"name": "other"},
    "update_secret": {"rotate": True},
    "update_number": {"name": "Other"},
    "assign": {"vn_ids": ["x"], "voice_app_id": "y"},
    "unassign": {"vn_ids": ["x"]},
    "hang_up": {"reason": "X"},
    "mute": {"leg_id": "x", "on": True},
    "send_dtmf": {"digits": "1"},
    "play": {"media_url": "http://app.example.com/a.wav"},
    "redirect": {"document": "<Response/>"},
}


@pytest.fixture
async def ids(acme: Tenant, recorder: Recorder, db: Database, storage: MemoryStorage) -> dict[str, str]:
    """One of everything there is, by the name that paths have for it."""
    call, recording = await recorded(recorder, acme.account_id)
    await stored(db, storage, acme.account_id, recording)
    return {
        "call_id": call,
        "recording_id": recording,
        "app_id": (await acme.made("/voice/apps", APP))["id"],
        "secret_id": (await acme.made("/secrets", {"name": "fuzzed"}))["id"],
        "number_id": acme.number_id,
    }


@dataclass(frozen=True, slots=True)
class Asking:
    """One request, made up."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    content: bytes
    headers: dict[str, str]
    told: frozenset[str]  # the statuses that the description has for it


@st.composite
def askings(draw: st.DrawFn, operations: list[tuple[str, str, dict[str, Any]]], ids: dict[str, str]) -> Asking:
    """A request to one of these operations: near to a good one, or far from it."""
    method, path, operation = draw(st.sampled_from(operations))
    parameters = operation.get("parameters", ())
    for place in (one["name"] for one in parameters if one["in"] == "path"):
        known = [st.just(ids[place])] * 3 if place in ids else []
        path = path.replace(f"{{{place}}}", quote(_utf8(draw(st.one_of(*known, _TEXT))), safe=""))
    names: list[str] = [*(one["name"] for one in parameters if one["in"] == "query"), "other"]
    query: list[tuple[str, str]] = draw(st.lists(st.tuples(st.sampled_from(names), _TEXT.map(_utf8)), max_size=3))
    content = b"" if method in ("GET", "DELETE") else draw(_bodies(operation["operationId"]))
    headers = {"content-type": "application/json", **draw(_HEADERS)}
    return Asking(method, path, tuple(query), content, headers, frozenset(operation["responses"]))


def _bodies(operation_id: str) -> st.SearchStrategy[bytes]:
    """A good body with up to two fields that are something else, any JSON, or no JSON at all."""
    well = _WELL.get(operation_id, {})
    changes = st.dictionaries(st.sampled_from([*sorted(well), "other"]), _JSON, max_size=2)
    near = changes.map(lambda changed: {**well, **changed})
    return st.one_of((near | _JSON).map(lambda body: json.dumps(body).encode()), near.map(_encoded), st.binary())


def _encoded(body: object) -> bytes:
    return json.dumps(body, ensure_ascii=False).encode("utf-8", "surrogatepass")


def _utf8(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


@settings(
    max_examples=int(_EXAMPLES or 300), derandomize=_EXAMPLES is None, database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(data=st.data())
async def test_no_request_breaks_the_api(acme: Tenant, app: FastAPI, ids: dict[str, str], data: st.DataObject) -> None:
    operations = [
        (method.upper(), path, operation)
        for path, ways in app.openapi()["paths"].items()
        for method, operation in ways.items()
    ]
    asking = data.draw(askings(operations, ids))

    answer = await acme.client.request(
        asking.method, asking.path, params=asking.query, content=asking.content,
        headers={**asking.headers, "x-api-key": acme.api_key},
    )  # fmt: skip

    assert answer.status_code < 500, answer.text
    assert str(answer.status_code) in asking.told | _OF_ANY_REQUEST, answer.text
    if answer.status_code >= 400:
        assert answer.json() == {**answer.json(), "success": False, "status": answer.status_code}
        assert answer.headers["content-type"] == "application/problem+json"
