"""Lists in pages, as Teler's clients turn them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Generic, TypeAlias, TypeVar

from fastapi import Query
from pydantic import Field

from controlplane.api.v1.fields import Id
from controlplane.store.pages import Page, Window

T = TypeVar("T")
S = TypeVar("S")

Limit: TypeAlias = Annotated[int, Query(ge=1, le=100, description="How many rows at most.")]
After: TypeAlias = Annotated[
    Id | None, Query(description="`next_cursor` of a page: the rows after it. Not together with `cursor_before`.")
]
Before: TypeAlias = Annotated[Id | None, Query(description="`previous_cursor` of a page: the rows before it.")]


@dataclass(frozen=True, slots=True)
class PageOf(Generic[S]):
    """One page, newest first."""

    data: list[S]
    next_cursor: Annotated[str | None, Field(description="For `cursor_after`; null on the last page.")] = None
    previous_cursor: Annotated[str | None, Field(description="For `cursor_before`; null on the first page.")] = None
    has_more: Annotated[bool, Field(description="Whether there are rows after this page.")] = False


def window_of(limit: int, after: str | None, before: str | None) -> Window:
    """Which page is asked for."""
    return Window(limit, after, before)


def page_of(page: Page[T], shape: Callable[[T], S]) -> PageOf[S]:
    """A page of rows in their shape."""
    return PageOf([shape(row) for row in page.data], page.next_cursor, page.previous_cursor, page.has_more)
