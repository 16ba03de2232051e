"""Tenants as tests see them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from httpx import AsyncClient, Response

from controlplane.base.ids import AccountId

PUBLIC_URL = "https://calls.example.com"
FLOW = {"flow_url": "http://app.example.com/flow"}
CALL = {"from_number": "+15550001111", "to_number": "+15550002222", **FLOW}
APP = {"name": "Support", "webhook_url": "http://app.example.com/hook", **FLOW}


@dataclass(frozen=True, slots=True)
class Tenant:
    """Someone with a key; paths are those below /api/v1."""

    client: AsyncClient
    account_id: AccountId
    api_key: str
    number_id: str

    async def ask(self, method: str, path: str, **more: Any) -> Response:
        headers = {"x-api-key": self.api_key, **more.pop("headers", {})}
        return await self.client.request(method, f"/api/v1{path}", headers=headers, **more)

    async def get(self, path: str, **more: Any) -> Response:
        return await self.ask("GET", path, **more)

    async def post(self, path: str, json: object = None, **more: Any) -> Response:
        return await self.ask("POST", path, json=json, **more)

    async def patch(self, path: str, json: object) -> Response:
        return await self.ask("PATCH", path, json=json)

    async def delete(self, path: str) -> Response:
        return await self.ask("DELETE", path)

    async def made(self, path: str, json: object) -> dict[str, Any]:
        """What was made; it must have been."""
        answer = await self.post(path, json)
        assert answer.status_code in (200, 201, 202), answer.text
        body: dict[str, Any] = answer.json()
        return body


def told(answer: Response) -> tuple[int, str]:
    """Status and code of a problem, which must be a whole one."""
    body = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert body["success"] is False
    assert (body["status"], body["message"] != "") == (answer.status_code, True)
    return answer.status_code, body["code"]
