"""Types of what clients send: strict about types and characters, forgiving about fields we do not know."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from controlplane.hooks.errors import HookError
from controlplane.hooks.target import parse_target
from controlplane.verbs.kinds import Unfit
from controlplane.verbs.sip import parse_sip

_NO_CONTROLS = r"^[^\x00-\x1f\x7f]*$"  # nor NUL, which PostgreSQL cannot keep
_E164 = r"^\+[1-9][0-9]{6,14}$"


class Body(BaseModel):
    """A request's body. Fields that are not known are passed over: clients may be newer than we are."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)


def _url(text: str) -> str:
    try:
        parse_target(text)
    except HookError as error:
        raise ValueError(error.problem) from None
    return text


def _address(text: str) -> str:
    if not text.lower().startswith(("sip:", "sips:")):
        return text
    try:
        address = parse_sip(text)
    except Unfit as unfit:
        raise ValueError(str(unfit)) from None
    if "?" in text:
        raise ValueError("headers are not taken here")
    return address.uri


def _utc(at: datetime) -> datetime:
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)


def iso(at: datetime) -> str:
    """A time as this API writes it: UTC, milliseconds."""
    if at.utcoffset():
        at = at.astimezone(UTC)
    return at.isoformat(timespec="milliseconds")[:-6] + "Z"


def maybe_iso(at: datetime | None) -> str | None:
    """The same where there may be none."""
    return None if at is None else iso(at)


Text: TypeAlias = Annotated[str, StringConstraints(max_length=255, pattern=_NO_CONTROLS)]
Name: TypeAlias = Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=_NO_CONTROLS)]
Id: TypeAlias = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=_NO_CONTROLS)]
Url: TypeAlias = Annotated[
    str, StringConstraints(max_length=8000), AfterValidator(_url), Field(examples=["https://example.com/flow"])
]
Number: TypeAlias = Annotated[str, StringConstraints(pattern=_E164), Field(examples=["+15550001111"])]
Address: TypeAlias = Annotated[
    str,
    StringConstraints(max_length=255, pattern=r"^(\+[1-9][0-9]{6,14}|[sS][iI][pP][sS]?:[^\x00-\x20]+)$"),
    AfterValidator(_address),
    Field(examples=["+15550002222", "sip:alice@example.com"]),
]
Time: TypeAlias = Annotated[datetime, AfterValidator(_utc), Field(examples=["2026-01-02T03:04:05Z"])]
