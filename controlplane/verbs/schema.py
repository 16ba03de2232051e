"""The JSON dialect as a JSON Schema (2020-12), made from the tables that documents are read by."""

from __future__ import annotations

from dataclasses import MISSING, fields
from typing import Any

from controlplane.verbs import documents
from controlplane.verbs.kinds import Schema
from controlplane.verbs.reading import MAX_VERBS
from controlplane.verbs.rows import Row, Spec, Table
from controlplane.verbs.specs import NUMBER, SIP, VERBS

_TARGETS = (NUMBER, SIP)


def document_schema() -> Schema:
    """Describe a document: what it may hold, by which names, with which defaults and limits.

    Keys that are not described are passed over when a document is read, so the schema allows them too.
    """
    verbs = {"type": "array", "items": {"$ref": "#/$defs/verb"}, "maxItems": MAX_VERBS}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Call document",
        "oneOf": [verbs, {"type": "object", "properties": {"verbs": verbs}, "required": ["verbs"]}],
        "$defs": {"verb": _one_of(VERBS)} | {spec.key: _payload(spec) for spec in (*VERBS.by_key.values(), *_TARGETS)},
    }


def _one_of(table: Table) -> Schema:
    properties = {key: {"$ref": f"#/$defs/{key}"} for key in table.by_key}
    return {"type": "object", "minProperties": 1, "maxProperties": 1, "properties": properties}


def _payload(spec: Spec) -> Schema:
    properties: dict[str, Schema] = {}
    if spec.children is not None:
        items = _one_of(spec.children.specs)
        properties[spec.children.field] = {
            "type": "array",
            "items": {"anyOf": [{"type": "string"}, items]} if spec.children.text is not None else items,
        }
    defaults = _defaults(spec)
    for row in spec.rows:
        if row.field and not row.group:
            properties[row.field] = _described(row, defaults)
    for group, members in spec.groups.items():
        properties[group] = _group(members)
    whole: Schema = {"type": "object", "properties": properties}
    if spec.text is None:
        return whole
    return {"anyOf": [spec.text.kind.schema(), whole]}


def _described(row: Row, defaults: dict[str, Any]) -> Schema:
    schema = row.kind.schema()
    default = defaults.get(row.field)
    return schema if default is None else schema | {"default": row.kind.to_json(default)}


def _group(members: Any) -> Schema:
    whole = {"type": "object", "properties": {name: row.kind.schema() for name, row in members.items()}}
    return {"anyOf": [members["url"].kind.schema(), whole]} if "url" in members else whole


def _defaults(spec: Spec) -> dict[str, Any]:
    """The defaults of a verb's own values; those that are worked out (None) and text are left out."""
    made = getattr(documents, spec.tag)
    text = spec.text.field if spec.text is not None else None
    found = {each.name: each.default for each in fields(made) if each.name != text}
    return {name: default for name, default in found.items() if default is not MISSING and default != ()}
