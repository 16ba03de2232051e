"""Celery's broker: RabbitMQ or Redis by one setting, folders on this machine where nothing is set."""

from __future__ import annotations

from typing import Any

from celery import Celery

from controlplane.settings import Settings
from controlplane.tasks.app import build_celery

POLL_S = 0.1
VISIBLE_AGAIN_S = 3600  # longer than any task: Redis would give a task out twice


def celery_of(settings: Settings) -> Celery:
    """The Celery application that the settings ask for."""
    if settings.broker_url is not None:
        return build_celery(settings.broker_url.get_secret_value(), _options(settings.broker_url.get_secret_value()))
    folder = settings.data.absolute() / "broker"
    for name in ("messages", "control"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    messages = str(folder / "messages")
    options = {
        "data_folder_in": messages,
        "data_folder_out": messages,
        "control_folder": str(folder / "control"),
        "polling_interval": POLL_S,
    }
    return build_celery("filesystem://", options)


def _options(broker_url: str) -> dict[str, Any]:
    return {"visibility_timeout": VISIBLE_AGAIN_S} if broker_url.startswith("redis") else {}
