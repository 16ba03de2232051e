"""The `callplane` command: its groups, and what a person sees when something is wrong.

Each group is a file of this package with `register(app)`. Those files import only typer at the top and the rest inside
the commands, so that `callplane --help` is quick.

Exit codes: 0 done, 1 failed, 2 not used as intended (arguments, settings), 130 interrupted. An error is one line on
standard error that says what to do next; only a fault of ours shows a traceback.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Sequence

import typer
from typer import TyperException

from controlplane.base.errors import BadInput, CallplaneError
from controlplane.cli import doctor, replay, reseal, serve, settings, simulate, spool, tenant, up

# What is imported at the start stays: looking for garbage among it every 700 objects took a tenth of the time.
_OBJECTS_BEFORE_A_LOOK = 100_000
_GROUPS = (up, serve, tenant, simulate, replay, spool, reseal, doctor, settings)


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command with these arguments (the process's own if None) and exit."""
    gc.set_threshold(_OBJECTS_BEFORE_A_LOOK)
    sys.exit(_run(sys.argv[1:] if argv is None else list(argv)))


def build_app() -> typer.Typer:
    """Put the groups together."""
    app = typer.Typer(
        name="callplane",
        help="A programmable-SIP platform that you run yourself.",
        add_completion=False,
        rich_markup_mode=None,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
    )
    app.callback()(_callback)
    for group in _GROUPS:
        group.register(app)
    return app


def _callback() -> None:
    """A programmable-SIP platform that you run yourself."""


def _run(argv: list[str]) -> int:
    try:
        return build_app()(argv, prog_name="callplane", standalone_mode=False) or 0
    except TyperException as error:
        return _fail(_usage(error), code=error.exit_code)
    except BadInput as error:
        return _fail(str(error), code=2)
    except CallplaneError as error:
        return _fail(str(error), code=1)
    except (KeyboardInterrupt, typer.Abort):
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return 1


def _usage(error: TyperException) -> str:
    """One line of advice, or the whole help text where no command was given."""
    message = error.format_message()
    if message.startswith("Usage:"):
        return message
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "callplane"
    return f"callplane: {message.rstrip('.')}. See `{path} --help`."


def _fail(message: str, *, code: int) -> int:
    text = message if message.startswith(("callplane:", "Usage:")) else f"callplane: {message}"
    print(text, file=sys.stderr)
    return code
