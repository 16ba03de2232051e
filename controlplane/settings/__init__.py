"""What an operator can set: `CALLPLANE_*` environment variables, each with its meaning and default."""

from controlplane.settings.listing import PREFIX, SettingRow, list_settings, unknown_names
from controlplane.settings.settings import Settings

__all__ = ["PREFIX", "SettingRow", "Settings", "list_settings", "unknown_names"]
