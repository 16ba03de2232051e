"""Where a tenant's value can stand in a request of the API: a table of every operation with its fields.

tests/injection/test_places.py holds it against the API's own description. What is accepted is used: a call is placed
with an app that was made of it, and what is asked of a live call is asked of one.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote
from uuid import UUID

from controlplane.base.ids import LegId, call_of_leg, public_leg_id
from tests.injection.application import Answer, Asked
from tests.injection.operations import OPERATIONS, REQUEST_HEADERS, Operation
from tests.injection.outcomes import Outcomes
from tests.injection.payloads import Payload
from tests.injection.places import ANSWERS
from tests.injection.stage import NUMBER, Stage
from tests.injection.telephones import Line

AT_ONCE, TRIES = 12, 4
_WAIT = Answer(b'<Response><Pause length="3600"/></Response>')
_LEAVE = Answer(b"<Response><Hangup/></Response>")
# What the server says of a request line that it does not read, being longer than 64 KiB.
_NO_REQUEST = (400, b"Invalid HTTP request received.")
_USED = ("create_app", "update_app")
_IDS = {"@LEG@": "leg_id", "@APP_ID@": "app_id", "@NUMBER_ID@": "number_id"}


@dataclass(frozen=True, slots=True)
class RequestPlace:
    """A field of an operation; `kind` is path, query, body or header."""

    operation: Operation
    kind: str
    field: str

    @property
    def name(self) -> str:
        return f"api {self.operation.id} {self.kind} {self.field}"


def request_places() -> Iterator[RequestPlace]:
    """Every field of every operation."""
    for operation in OPERATIONS:
        for kind, names in (("path", operation.in_path), ("query", operation.query), ("body", operation.body)):
            yield from (RequestPlace(operation, kind, name) for name in names)
    yield from (RequestPlace(OPERATIONS[0], "header", name) for name in REQUEST_HEADERS)


@dataclass(frozen=True, slots=True)
class Request:
    """One value in one field."""

    number: int
    place: RequestPlace
    payload: Payload


@dataclass(slots=True)
class Requests:
    """Makes requests, some at once. A call waits meanwhile to be asked things."""

    stage: Stage
    outcomes: Outcomes
    _patient: Line | None = None
    _sid: str = ""
    _secret_id: str = ""
    _dialling: asyncio.Lock = field(default_factory=asyncio.Lock)
    _asked: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self, requests: Iterable[Request]) -> None:
        """Make these requests."""
        _, _, made = await self.stage.ask("POST", "/api/v1/secrets", json={"name": "of injection"})
        self._secret_id = json.loads(made)["id"]
        self.stage.answers.append(self.answer)
        waiting = iter(requests)

        async def one_after_another() -> None:
            for request in waiting:
                await self._make(request)

        await asyncio.gather(*(one_after_another() for _ in range(AT_ONCE)))
        if self._patient is not None:
            self.stage.telephones.hang_up(self._patient)
        self.stage.answers.pop()

    def answer(self, asked: Asked) -> Answer:
        """Whoever called in waits, whoever was called is done."""
        if asked.parameters.get("Direction") != "inbound":
            return _LEAVE
        if asked.path == "/next":
            self._sid = asked.parameters.get("CallSid", "")
            self._asked.set()
        return _WAIT

    async def _make(self, request: Request) -> None:
        place = request.place
        known = await self._known() if "{call_id}" in place.operation.path or "leg_id" in place.operation.base else {}
        text = request.payload.aimed_at(self.stage.canaries.file(request.number), self.stage.canaries.host)
        status, kind, body = await self._send(place, text, known)
        is_problem = status >= 400 and (kind == "application/problem+json" or (status, body) == _NO_REQUEST)
        if status >= 500 or status < 200 or (status >= 400 and not is_problem):
            self.outcomes.note(place.name, request.payload.id, "problems")
            self.outcomes.problems.append(f"{place.name} <- {request.payload.id}: {status} {kind} {body[:300]!r}")
        elif status >= 400:
            self.outcomes.note(place.name, request.payload.id, f"refused {status}")
        else:
            self.outcomes.note(place.name, request.payload.id, "carried out")
            await self._use(place, body)

    async def _send(self, place: RequestPlace, text: str, known: dict[str, str]) -> tuple[int, str, bytes]:
        assert self.stage.tenant is not None
        ids = {"app_id": self.stage.app_id, "number_id": self.stage.tenant.number_id, "secret_id": self._secret_id}
        ids |= known
        path, more = request_of(place, text, ids, self.stage.app_url)
        for _ in range(TRIES):
            status, kind, body = await self.stage.ask(place.operation.method, path, **more)
            if status != 503:
                break
            await asyncio.sleep(1)  # as Retry-After asks for, on a machine that has much to do
        return status, kind, body

    async def _use(self, place: RequestPlace, body: bytes) -> None:
        """Use an app that was made or changed; give the tenant's number an app again that may have lost its own."""
        if place.operation.id == "unassign":
            self.stage.app_id = await self.stage.make_app(takes_number=True)
        if place.operation.id not in _USED:
            return
        made = json.loads(body)
        call = {"from_number": NUMBER, "to_number": ANSWERS, "app_id": made["id"], "timeout_s": 5}
        await self.stage.ask("POST", "/api/v1/voice/calls", json=call)
        if place.operation.id == "update_app":  # what comes after it needs the app as it was
            self.stage.app_id = await self.stage.make_app(takes_number=place.field in ("status", "flow_url"))

    # The call that waits

    async def _known(self) -> dict[str, str]:
        """The ids of a live call."""
        async with self._dialling:
            if self._patient is None or self._patient.is_over:
                self._asked.clear()
                self._patient = self.stage.dial("+15550002001")
                await asyncio.wait_for(self._asked.wait(), 20)
        leg = LegId(str(UUID(self._sid[2:])))
        return {"call_id": call_of_leg(leg), "leg_id": public_leg_id(leg)}


def request_of(place: RequestPlace, text: str, ids: Mapping[str, str], app_url: str) -> tuple[str, dict[str, Any]]:
    """The request with a text in a place: its path with the query, and `data` and `headers` where it has them.

    `ids` are of things there are, by the names that paths have for them and `leg_id`.
    """
    operation = place.operation
    named = {**ids, place.field: text} if place.kind == "path" else ids
    path = operation.path
    for name in operation.in_path:
        path = path.replace(f"{{{name}}}", _quoted(named.get(name, "x")))
    if place.kind == "query":
        path += f"?{place.field}={_quoted(text)}"
    more: dict[str, Any] = {}
    if operation.body:
        more["data"] = json.dumps(_body(place, text, ids, app_url)).encode()
        more["headers"] = {"Content-Type": "application/json"}
    if place.kind == "header":
        more["headers"] = {**more.get("headers", {}), place.field: _quoted_controls(text)}
    return path, more


def _body(place: RequestPlace, text: str, ids: Mapping[str, str], app_url: str) -> dict[str, Any]:
    operation = place.operation
    given = {"@APP@": app_url} | {word: ids.get(name, "") for word, name in _IDS.items()}
    base = (operation.filtered if place.kind == "query" else {}) or operation.base
    body = {name: _filled(value, given) for name, value in base.items()}
    if place.kind != "body":
        return body
    is_list = place.field in operation.lists
    excluded = {name for name, others in operation.excludes.items() if place.field in others}
    return {name: value for name, value in body.items() if name not in excluded} | {
        place.field: [text] if is_list else text
    }


def _filled(value: Any, given: dict[str, str]) -> Any:
    if isinstance(value, list):
        return [_filled(one, given) for one in value]
    if isinstance(value, str):
        for name, text in given.items():
            value = value.replace(name, text)
    return value


def _quoted(text: str) -> str:
    return quote(text, safe="", errors="replace") or "%20"


def _quoted_controls(text: str) -> str:
    return "".join(letter if letter.isprintable() else quote(letter, errors="replace") for letter in text)[:4000]
