"""The shape of call documents as a part of the API's description."""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

from pydantic import WithJsonSchema

from controlplane.verbs.schema import document_schema

_WHOLE = "CallDocument"
_PLACE = "#/components/schemas/"
_TEXT = {"type": "string", "title": "Text", "description": "TwiML, or the JSON of a call document."}

InlineDocument: TypeAlias = Annotated[
    str | list[Any] | dict[str, Any], WithJsonSchema({"anyOf": [{"$ref": f"{_PLACE}{_WHOLE}"}, _TEXT]})
]


def components() -> dict[str, Any]:
    """Call documents as components of an OpenAPI description: `CallDocument` and what it refers to."""
    schema = document_schema()
    parts = schema.pop("$defs")
    del schema["$schema"]
    moved: dict[str, Any] = _moved({_WHOLE: schema} | {_name_of(name): part for name, part in parts.items()})
    return moved


def _moved(part: Any) -> Any:
    """The same with references to where the parts are in an OpenAPI description."""
    match part:
        case {"$ref": str(reference)}:
            return {"$ref": f"{_PLACE}{_name_of(reference.removeprefix('#/$defs/'))}"}
        case dict():
            return {name: _moved(value) for name, value in part.items()}
        case list():
            return [_moved(value) for value in part]
        case _:
            return part


def _name_of(part: str) -> str:
    return f"Document{part.capitalize()}"
