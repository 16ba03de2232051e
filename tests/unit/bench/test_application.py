"""The tenant's application of measurements."""

from __future__ import annotations

import multiprocessing
from urllib.request import urlopen

from bench.application import XML, _serve, running_application


def test_it_answers_with_what_it_was_given_and_counts() -> None:
    with running_application({"/flow": (XML, b"<Response/>")}) as application:
        with urlopen(f"{application.url}/flow?a=1", timeout=10) as answer:
            assert (answer.status, answer.headers["Content-Type"], answer.read()) == (200, XML, b"<Response/>")
        counts = application.counts()
    assert (counts.opened, dict(counts.requests)) == (1, {"/flow": 1})


def test_it_ends_with_whoever_began_it() -> None:
    """A measurement that was ended left one behind, which took a core for an hour."""
    ours, theirs = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=_serve, args=(theirs, {}), daemon=True)
    server.start()
    theirs.close()
    ours.recv()
    ours.close()
    server.join(30)
    assert server.exitcode == 0
