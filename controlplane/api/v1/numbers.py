"""Numbers: an operator gives them to an account, here they are led to apps."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Annotated, Literal

from fastapi import Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, model_validator

from controlplane.api.openapi import problems, v1_router
from controlplane.api.requests import change, read
from controlplane.api.v1.fields import Body, Id, Text, iso
from controlplane.api.v1.paging import Paged, PageOf, page_of
from controlplane.base.e164 import region_of
from controlplane.base.errors import NotFound
from controlplane.base.ids import AccountId
from controlplane.services.numbers import (
    Filter,
    Number,
    assign_all_numbers,
    assign_numbers,
    get_number,
    list_numbers,
    rename_number,
)
from controlplane.store.database import Transaction
from controlplane.store.pages import MOST, Window

router = v1_router("numbers")

_ELSEWHERE = "There is no such thing here yet: none match."


class NumberFilter(BaseModel):
    """Which numbers."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    search: Annotated[Text, Field(description="A text in number or name.")] = ""
    voice_app: Annotated[list[Id] | None, Field(description="Ids of apps: numbers that lead to one of them.")] = None
    location: Annotated[list[Text] | None, Field(description=_ELSEWHERE)] = None
    sip_trunk: Annotated[list[Text] | None, Field(description=_ELSEWHERE)] = None

    def maybe_filter(self) -> Filter | None:
        """The same for a service; None for none: what a number cannot have here matches nothing."""
        if self.location or self.sip_trunk:
            return None
        return Filter(tuple(self.voice_app) if self.voice_app else None, self.search)


class NumberQuery(NumberFilter, Paged):
    """Which numbers, and which page of them."""

    limit: Annotated[int, Field(ge=1, le=MOST)] = 10


class Selected(Body):
    """Which numbers: these, or all that the filters of the query name."""

    vn_ids: Annotated[list[Id], Field(default_factory=list, max_length=1000)]
    apply_to_all: bool = False

    @model_validator(mode="after")
    def _some(self) -> Selected:
        if bool(self.vn_ids) == self.apply_to_all:
            raise ValueError("give vn_ids, or set apply_to_all")
        return self


class Assigned(Selected):
    """Where numbers are to lead."""

    voice_app_id: Id | None = None
    sip_trunk_id: Annotated[Id | None, Field(description="There are no trunks here yet.")] = None

    @model_validator(mode="after")
    def _one_place(self) -> Assigned:
        if (self.voice_app_id is None) == (self.sip_trunk_id is None):
            raise ValueError("give voice_app_id")
        return self


class Renamed(Body):
    """What a number is to be called."""

    name: Text


@dataclass(frozen=True, slots=True)
class Location:
    """Where a number is, as far as it tells itself."""

    country: Annotated[str, Field(description="Two letters; empty where it cannot be told.")]


@dataclass(frozen=True, slots=True)
class AppOfNumber:
    """The app a number leads to."""

    id: str
    name: str | None


@dataclass(frozen=True, slots=True)
class NumberShape:
    """A number of yours."""

    id: Annotated[str, Field(examples=["vn_01HF7YAT00V1R6E8ZZ1AH3GX8N"])]
    account_id: str
    number: str
    name: str
    location: Location
    voice_app: AppOfNumber | None
    sip_trunk: None
    created_at: str


@dataclass(frozen=True, slots=True)
class Led:
    """It is done."""

    message: str
    count: Annotated[int, Field(description="How many numbers were changed.")]
    success: Literal[True] = True


@router.get("/virtual-numbers", name="list_numbers", response_model=PageOf[NumberShape])
async def show_numbers(request: Request, asked: Annotated[NumberQuery, Query()]) -> Response:
    """Numbers, newest first."""
    return await read(request, partial(_list, asked.window(), asked.maybe_filter()), PageOf[NumberShape])


@router.post("/virtual-numbers/assign", response_model=Led, responses=problems(404))
async def assign(request: Request, body: Assigned, asked: Annotated[NumberFilter, Query()]) -> Response:
    """Let numbers lead to an app: the ones named, or with `apply_to_all` those that the query's filters name."""
    return await change(request, partial(_assign, body, asked.maybe_filter()), Led)


@router.post("/virtual-numbers/unassign", response_model=Led, responses=problems(404))
async def unassign(request: Request, body: Selected, asked: Annotated[NumberFilter, Query()]) -> Response:
    """Let numbers lead nowhere."""
    return await change(request, partial(_lead, body, asked.maybe_filter(), None), Led)


@router.get("/virtual-numbers/{number_id}", name="get_number", response_model=NumberShape, responses=problems(404))
async def show_number(request: Request, number_id: str) -> Response:
    """One number."""
    return await read(request, partial(_get, number_id), NumberShape)


@router.patch("/virtual-numbers/{number_id}", name="update_number", response_model=NumberShape, responses=problems(404))
async def update_number(request: Request, number_id: str, body: Renamed) -> Response:
    """Call a number something else."""
    return await change(request, partial(_rename, number_id, body.name), NumberShape)


def number_shape(number: Number) -> NumberShape:
    """A number as it is shown."""
    return NumberShape(
        id=number.number_id,
        account_id=number.account_id,
        number=number.number,
        name=number.name,
        location=Location(region_of(number.number)),
        voice_app=None if number.app_id is None else AppOfNumber(number.app_id, number.app_name),
        sip_trunk=None,
        created_at=iso(number.created_at),
    )


async def _list(window: Window, which: Filter | None, tx: Transaction, account_id: AccountId) -> PageOf[NumberShape]:
    if which is None:
        return PageOf([])
    return page_of(await list_numbers(tx, account_id, window, which), number_shape)


async def _get(number_id: str, tx: Transaction, account_id: AccountId) -> NumberShape:
    return number_shape(await get_number(tx, account_id, number_id))


async def _rename(number_id: str, name: str, tx: Transaction, account_id: AccountId) -> NumberShape:
    return number_shape(await rename_number(tx, account_id, number_id, name))


async def _assign(body: Assigned, which: Filter | None, tx: Transaction, account_id: AccountId) -> Led:
    if body.voice_app_id is None:
        raise NotFound("There is no such trunk in this account.")
    return await _lead(body, which, body.voice_app_id, tx, account_id)


async def _lead(
    body: Selected, which: Filter | None, app_id: str | None, tx: Transaction, account_id: AccountId
) -> Led:
    if body.vn_ids:
        count = await assign_numbers(tx, account_id, body.vn_ids, app_id)
    elif which is None:
        count = 0
    else:
        count = await assign_all_numbers(tx, account_id, which, app_id)
    return Led(f"{count} numbers {'assigned' if app_id else 'unassigned'}.", count)
