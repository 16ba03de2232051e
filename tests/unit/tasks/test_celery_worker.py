"""Celery's worker, as a process of ours runs it."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from controlplane.tasks.app import CeleryApp, WorkerBroke, build_celery, run_celery_worker


def app_whose_worker_ends_with(exitcode: int | None) -> CeleryApp:
    app = build_celery("memory://localhost/", {})
    app.__dict__["Worker"] = lambda **_: SimpleNamespace(start=lambda: None, exitcode=exitcode)
    return app


def test_a_worker_that_celery_gives_up_is_no_success() -> None:
    with pytest.raises(WorkerBroke):
        run_celery_worker(app_whose_worker_ends_with(1), lambda: None)


@pytest.mark.parametrize("exitcode", [0, None])
def test_a_worker_that_was_asked_to_stop_is(exitcode: int | None) -> None:
    run_celery_worker(app_whose_worker_ends_with(exitcode), lambda: None)
