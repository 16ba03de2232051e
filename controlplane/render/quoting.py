"""Templates, and the one place where values are quoted for the language they land in.

The filter runs on every value that a template places (Jinja's `finalize`), so that no template can forget it.

In FreeSWITCH's XML two grammars lie on top of each other: before XML is parsed, each line goes through a pre-processor
that replaces `$${name}` and obeys lines with X-PRE-PROCESS (switch_xml.c, preprocess); after it, dialplan arguments
expand `${name}`. Neither can be escaped, so values that could begin one are refused.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from xml.sax.saxutils import escape

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Undefined

from controlplane.base.errors import BadInput

# In the wheel the templates lie inside the package, in a checkout beside it.
_FOLDERS = [Path(__file__).parents[1] / "templates", Path(__file__).parents[2] / "templates"]
_UNSAFE = re.compile(r"[\x00-\x1f\x7f]|\$\$?\{|X-PRE-PROCESS", re.IGNORECASE)


class UnsafeConfigValue(BadInput):
    """A value cannot be placed into the configuration."""

    slug = "unsafe-config-value"


def render_xml(template: str, **values: object) -> str:
    """Fill an XML template in; raises UnsafeConfigValue for a value that no quoting makes safe."""
    return _xml_templates().get_template(template).render(**values)


def quote_xml(value: object) -> str:
    """One value as XML text or attribute; text, whole numbers and nothing else."""
    if isinstance(value, Undefined):
        return str(value)  # StrictUndefined raises, naming what is missing
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise UnsafeConfigValue("Only text and whole numbers can be placed", kind=type(value).__name__)
    text = str(value)
    if _UNSAFE.search(text):
        raise UnsafeConfigValue("Control characters, ${ and X-PRE-PROCESS cannot be placed")
    return escape(text, {'"': "&quot;", "'": "&apos;"})


@cache
def _xml_templates() -> Environment:
    return Environment(
        loader=FileSystemLoader(_FOLDERS),
        undefined=StrictUndefined,
        finalize=quote_xml,
        autoescape=False,  # noqa: S701 - finalize quotes every value, and refuses what escaping cannot mend
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
