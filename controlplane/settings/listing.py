"""The settings as a list for people: what each means, its default, what holds now, and where that came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import UnionType
from typing import Union, get_args, get_origin

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from controlplane.settings.settings import Settings

PREFIX = "CALLPLANE_"
MASK = "********"


@dataclass(frozen=True, slots=True)
class SettingRow:
    """One setting. Values are text as the environment would hold them; None means unset; secrets are masked."""

    name: str
    meaning: str
    default: str | None
    value: str | None
    source: str  # "default" or "environment"


def list_settings(settings: Settings, environment: Mapping[str, str]) -> list[SettingRow]:
    """Every setting in the order of `Settings`; `environment` tells which of them were set."""
    given = {name.upper() for name in environment}
    return [
        SettingRow(
            name=f"{PREFIX}{field.upper()}",
            meaning=info.description or "",
            default=_shown(info.default, info),
            value=_shown(getattr(settings, field), info),
            source="environment" if f"{PREFIX}{field.upper()}" in given else "default",
        )
        for field, info in Settings.model_fields.items()
    ]


def unknown_names(environment: Mapping[str, str]) -> list[str]:
    """Variables with our prefix that are no setting: most likely misspelt."""
    known = {f"{PREFIX}{field.upper()}" for field in Settings.model_fields}
    return sorted(name for name in environment if name.upper().startswith(PREFIX) and name.upper() not in known)


def _shown(value: object, info: FieldInfo) -> str | None:
    if value is None:
        return None
    if _is_secret(info):
        return MASK
    if isinstance(value, bool):
        return str(int(value))
    return str(value)


def _is_secret(info: FieldInfo) -> bool:
    annotation = info.annotation
    kinds = get_args(annotation) if get_origin(annotation) in (Union, UnionType) else (annotation,)
    return SecretStr in kinds
