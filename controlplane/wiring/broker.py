"""Celery's broker: RabbitMQ or Redis by one setting; the worker's own memory where nothing is set.

The worker sends the nudges itself, from what the database tells it, so that one worker needs no broker but its memory.
(Kombu's broker in folders reads files that are half written, and then ends the worker.)
"""

from __future__ import annotations

from typing import Any

from controlplane.settings import Settings
from controlplane.tasks.app import CeleryApp, build_celery

POLL_S = 0.05
VISIBLE_AGAIN_S = 3600  # longer than any task: Redis would give a task out twice
ANSWER_S = 2.0  # longer than kombu's BRPOP lasts (1 s); without it a Redis that hangs holds us for ever


def celery_of(settings: Settings) -> CeleryApp:
    """The Celery application that the settings ask for."""
    if settings.broker_url is not None:
        return build_celery(settings.broker_url.get_secret_value(), _options(settings.broker_url.get_secret_value()))
    return build_celery("memory://localhost/", {"polling_interval": POLL_S})


def _options(broker_url: str) -> dict[str, Any]:
    if not broker_url.startswith("redis"):
        return {}
    return {
        "visibility_timeout": VISIBLE_AGAIN_S,
        "socket_timeout": ANSWER_S,
        "socket_connect_timeout": ANSWER_S,
    }
