"""Every error, in one form and in one place: a problem document (RFC 9457) that Teler's clients can read as well.

`type title status detail instance` are the RFC's; `success message code errors` are what those clients look for.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeAlias

from fastapi import Response
from fastapi.exceptions import RequestValidationError
from pydantic import Field, TypeAdapter
from starlette.exceptions import HTTPException

from controlplane.api.errors import (
    BodyTooLarge,
    InternalError,
    InvalidRequest,
    MalformedJson,
    MethodNotAllowed,
    NoSuchPath,
)
from controlplane.base.errors import CallplaneError
from controlplane.verbs.errors import DocumentError

Refusal: TypeAlias = CallplaneError | RequestValidationError | HTTPException

MEDIA_TYPE = "application/problem+json"
_RETRY_AFTER_S = 5


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with a request: where, what, of which kind."""

    loc: list[str | int]
    msg: str
    type: str


@dataclass(frozen=True, slots=True)
class Problem:
    """What went wrong (RFC 9457)."""

    type: Annotated[str, Field(description="A link that names the kind of problem.", examples=["/problems/not-found"])]
    title: Annotated[str, Field(description="The kind of problem, in words.")]
    status: Annotated[int, Field(description="The HTTP status.", examples=[404])]
    detail: Annotated[str, Field(description="What is the matter with this request.")]
    instance: Annotated[str, Field(description="Where it happened.")]
    code: Annotated[str, Field(description="The kind of problem, for programs.", examples=["not_found"])]
    message: Annotated[str, Field(description="The same as `detail`.")]
    success: Literal[False] = False
    errors: Annotated[list[Fault] | None, Field(description="Each thing that is wrong with the request.")] = None


_PROBLEM = TypeAdapter(Problem)


def problem_of(error: CallplaneError, instance: str) -> Problem:
    """An error as its document."""
    message = error.message
    return Problem(
        type=f"/problems/{error.slug}",
        title=title_of(type(error)),
        status=error.http_status,
        detail=_detail_of(error),
        instance=instance,
        code=error.slug.replace("-", "_"),
        message=message,
        errors=_faults_of(error),
    )


def respond(error: CallplaneError, instance: str, headers: Mapping[str, str] | None = None) -> Response:
    """An error as its answer; 503 says when to come again."""
    content = _PROBLEM.dump_json(problem_of(error, instance), exclude_none=True)
    told = dict(headers or {})
    if error.http_status == 503:
        told["Retry-After"] = str(_RETRY_AFTER_S)
    return Response(content, error.http_status, told, MEDIA_TYPE)


def schema() -> dict[str, Any]:
    """The document's JSON schema, for OpenAPI: `Problem` and what it refers to."""
    described = _PROBLEM.json_schema(mode="serialization", ref_template="#/components/schemas/{model}")
    parts: dict[str, Any] = described.pop("$defs")
    return {**parts, "Problem": described}


def answer_to(error: Refusal, instance: str) -> Response:
    """Answer one of our own errors, a request that does not fit its schema, or what the framework refuses."""
    match error:
        case CallplaneError():
            return respond(error, instance)
        case RequestValidationError():
            return respond(_refusal_of(error), instance)
        case HTTPException():
            return respond(_ours(error), instance, error.headers)


def _refusal_of(error: RequestValidationError) -> CallplaneError:
    found = error.errors()
    broken = next((one for one in found if one["type"] == "json_invalid"), None)
    if broken is not None:
        return MalformedJson(f"The body is not JSON: {broken['ctx']['error']}.")
    return InvalidRequest(found)


def _ours(error: HTTPException) -> CallplaneError:
    """What the framework itself refuses: unknown paths and methods, unreadable bodies."""
    match error.status_code:
        case 404:
            return NoSuchPath()
        case 405:
            return MethodNotAllowed()
        case 413:
            return BodyTooLarge()
        case 400:
            return MalformedJson()
        case _:
            return InternalError()


def title_of(kind: type[CallplaneError]) -> str:
    """What a kind of error is called: the first line of its docstring."""
    doc = next((base.__doc__ for base in kind.__mro__ if base.__doc__), None) or kind.slug
    return doc.strip().splitlines()[0]


def _detail_of(error: CallplaneError) -> str:
    faults = _faults_of(error)
    if not isinstance(error, InvalidRequest) or not faults:
        return error.message
    return "; ".join(f"{'.'.join(map(str, fault.loc))}: {fault.msg}" for fault in faults[:5])


def _faults_of(error: CallplaneError) -> list[Fault] | None:
    if isinstance(error, InvalidRequest):
        return [_fault_of(one) for one in error.errors]
    if isinstance(error, DocumentError):
        return [Fault(["body", "document", *_steps_of(error.path)], str(error.message), str(error.code))]
    return None


def _steps_of(path: str) -> list[str | int]:
    """A place in a document: in JSON key by key (`verbs[0].say`), in TwiML as it is named (`Gather[2]@timeout`)."""
    if path in ("document", "body"):
        return []
    if not path.startswith(("[", "verbs")):
        return [path]
    return [int(step) if step.isdecimal() else step for step in re.findall(r"[^.\[\]]+", path)]


def _fault_of(found: Mapping[str, Any]) -> Fault:
    loc: Sequence[str | int] = found["loc"]
    return Fault(list(loc), str(found["msg"]).removeprefix("Value error, "), str(found["type"]))
