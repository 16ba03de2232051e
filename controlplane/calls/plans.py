"""What a call does next, and how the document for it is got."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from controlplane.calls import parameters
from controlplane.calls.commands import FetchDocument, TakeInline
from controlplane.calls.events import DocumentArrived, DocumentFailed
from controlplane.calls.facts import Inline
from controlplane.calls.parameters import Parameters
from controlplane.calls.scene import Scene, Script
from controlplane.verbs.documents import Document, Hangup, Link, Say
from controlplane.verbs.errors import DocumentError
from controlplane.verbs.parsing import parse_document

MOST_IDLE_DOCUMENTS = 100  # in a row that do nothing but name the next one
TOO_MANY_REDIRECTS = 11215
APPLICATION_ERROR = "We are sorry, an application error has occurred. Goodbye."


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask this (absolute) URL for the next document, telling it `extra` besides the usual."""

    link: Link
    extra: Parameters = ()
    is_fallback: bool = False


@dataclass(frozen=True, slots=True)
class Leave:
    """A verb said that the leg is to be ended."""


@dataclass(frozen=True, slots=True)
class RanOut:
    """The document ended and named no other."""


Plan: TypeAlias = Ask | Inline | Leave | RanOut


class Replaced(Exception):
    """Thrown into a script when the API gave the call something else to do."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        super().__init__("replaced")


def obtain(scene: Scene, plan: Ask | Inline, status: str) -> Script[Document]:
    """Get the document of a plan; where that fails for good, the fallback's, and in the end one that says so.

    So it is, too, when documents send the call round and round without anybody hearing a thing: nothing would slow that
    down, and only the call's longest duration would end it.
    """
    while True:
        if scene.idle_documents >= MOST_IDLE_DOCUMENTS:
            scene.note("error", TOO_MANY_REDIRECTS, f"{MOST_IDLE_DOCUMENTS} documents in a row did nothing", "Redirect")
            return Document((Say(APPLICATION_ERROR), Hangup()))
        event = yield from _ask(scene, plan, status)
        if isinstance(event, DocumentArrived):
            source_url = None if isinstance(plan, Inline) else event.url
            try:
                document = parse_document(event.body, event.content_type, source_url=source_url)
            except DocumentError as error:
                event = DocumentFailed(event.token, event.url, str(error), error.code)
            else:
                _begin(scene, document, source_url)
                return document
        scene.note("error", event.code, event.problem, event.url)
        fallback = scene.facts.fallback
        if fallback is None or (isinstance(plan, Ask) and plan.is_fallback):
            return Document((Say(APPLICATION_ERROR), Hangup()))
        extra = plan.extra if isinstance(plan, Ask) else ()
        told = (("ErrorCode", str(event.code)), ("ErrorUrl", event.url))
        plan = Ask(fallback, parameters.merged(extra, told), is_fallback=True)


def _ask(scene: Scene, plan: Ask | Inline, status: str) -> Script[DocumentArrived | DocumentFailed]:
    token = scene.state.token()
    if isinstance(plan, Inline):
        scene.emit(TakeInline(token, plan))
    else:
        told = parameters.merged(parameters.standard(scene.state, scene.leg, status), plan.extra)
        scene.emit(FetchDocument(token, plan.link, told))
    while True:
        event = yield
        if isinstance(event, DocumentArrived | DocumentFailed) and event.token == token:
            return event


def _begin(scene: Scene, document: Document, source_url: str | None) -> None:
    scene.source_url = source_url
    scene.documents += 1
    scene.idle_documents += 1
    for warning in document.warnings:
        where = f"line {warning.line}" if warning.line is not None else ""
        scene.note("warning", warning.code, f"{warning.path}: {warning.problem}", where)
