from __future__ import annotations

from collections.abc import Iterator

import pytest

import controlplane.api.app
import controlplane.esl.errors  # noqa: F401 - its errors are in the tree as well
from controlplane.api.problems import Fault, Problem, problem_of, respond
from controlplane.base.errors import BadInput, CallplaneError, Conflict, Unavailable
from controlplane.hooks.errors import Code, HookError
from controlplane.verbs.errors import DocumentError


def kinds(kind: type[CallplaneError] = CallplaneError) -> Iterator[type[CallplaneError]]:
    for one in kind.__subclasses__():
        yield one
        yield from kinds(one)


def test_an_error_becomes_a_whole_problem() -> None:
    error = Conflict("Two secrets have one name.", constraint="secrets_account_id_name_key")

    assert problem_of(error, "/api/v1/secrets") == Problem(
        type="/problems/conflict",
        title="The thing is not in a state that allows this.",
        status=409,
        detail="Two secrets have one name.",
        instance="/api/v1/secrets",
        code="conflict",
        message="Two secrets have one name.",
    )


def test_a_faulty_document_says_where() -> None:
    problem = problem_of(DocumentError("Gather[1]@timeout", "must be a number", 13312, 3), "/")

    assert (problem.status, problem.code) == (422, "document_error")
    assert problem.errors == [
        Fault(["body", "document", "Gather[1]@timeout"], "Gather[1]@timeout, line 3: must be a number", "13312")
    ]


def test_what_is_away_says_when_to_come_again() -> None:
    answer = respond(Unavailable(), "/")

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("kind", sorted(set(kinds()), key=str))
def test_every_kind_of_error_has_a_name_a_title_and_a_status(kind: type[CallplaneError]) -> None:
    error: CallplaneError
    if kind is DocumentError:
        error = DocumentError("x", "y", 1)
    elif kind is HookError:
        error = HookError(Code.HTTP_FAILURE, "x")
    elif kind.__init__ is CallplaneError.__init__:
        error = kind(None)
    else:
        return
    problem = problem_of(error, "/")
    assert "" not in (problem.title, problem.message)
    assert problem.code == kind.slug.replace("-", "_")
    assert 400 <= problem.status < 600


def test_facts_of_an_error_stay_with_us() -> None:
    assert "secret" not in problem_of(BadInput(None, secret="secret"), "/").detail
