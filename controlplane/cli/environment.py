"""Settings for a command, or one line that says which variable is wrong."""

from __future__ import annotations

from pydantic import ValidationError

from controlplane.base.errors import BadInput
from controlplane.settings import PREFIX, Settings


class BadSettings(BadInput):
    """A setting cannot be read; `callplane settings --help` tells more."""

    slug = "bad-settings"


def read_settings() -> Settings:
    """The settings of this process's environment; raises BadSettings naming every variable that is wrong."""
    try:
        return Settings()
    except ValidationError as error:
        problems = "; ".join(
            f"{PREFIX}{str(problem['loc'][0]).upper()}: {problem['msg']}"
            for problem in error.errors(include_input=False)
        )
        raise BadSettings(f"{problems}. Correct or unset it.") from error
