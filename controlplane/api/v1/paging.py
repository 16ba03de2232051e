"""Lists in pages, as Teler's clients turn them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from controlplane.api.v1.fields import Id
from controlplane.store.pages import MOST, Page, Window

T = TypeVar("T")
S = TypeVar("S")


class Paged(BaseModel):
    """Which page of a list."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    limit: Annotated[int, Field(ge=1, le=MOST, description="How many rows at most.")] = 50
    cursor_after: Annotated[
        Id | None, Field(description="`next_cursor` of a page: the rows after it. Not together with `cursor_before`.")
    ] = None
    cursor_before: Annotated[Id | None, Field(description="`previous_cursor` of a page: the rows before it.")] = None

    def window(self) -> Window:
        """The same for a service."""
        return Window(self.limit, self.cursor_after, self.cursor_before)


@dataclass(frozen=True, slots=True)
class PageOf(Generic[S]):
    """One page, newest first."""

    data: list[S]
    next_cursor: Annotated[str | None, Field(description="For `cursor_after`; null on the last page.")] = None
    previous_cursor: Annotated[str | None, Field(description="For `cursor_before`; null on the first page.")] = None
    has_more: Annotated[bool, Field(description="Whether there are rows after this page.")] = False


def page_of(page: Page[T], shape: Callable[[T], S]) -> PageOf[S]:
    """A page of rows in their shape."""
    return PageOf([shape(row) for row in page.data], page.next_cursor, page.previous_cursor, page.has_more)
