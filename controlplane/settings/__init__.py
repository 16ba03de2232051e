"""What an operator can set: `CALLPLANE_*` environment variables, each with its meaning and default."""

from controlplane.settings.settings import Settings

__all__ = ["Settings"]
