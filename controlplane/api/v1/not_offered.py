"""What Teler's clients can ask for and this platform does not have: said plainly, instead of an unknown path."""

from __future__ import annotations

from fastapi import Response

from controlplane.api.errors import NotOffered
from controlplane.api.openapi import v1_router

router = v1_router("calls", 501)


@router.post("/voice/calls/{call_id}/transfer", include_in_schema=False)
async def transfer(call_id: str) -> Response:
    """Transfers are documents here: redirect the call to one that dials."""
    raise NotOffered("Transfers are not offered; redirect the call to a document with a Dial.", call_id=call_id)


@router.api_route("/sip/{rest:path}", methods=["GET", "POST", "PATCH", "DELETE"], include_in_schema=False)
async def sip(rest: str) -> Response:
    """Trunks are the operator's here."""
    raise NotOffered("Trunks and access lists are the operator's here; there is no API for them.", path=rest)
