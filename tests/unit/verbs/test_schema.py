"""The JSON Schema says what the JSON dialect takes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from jsonschema import Draft202012Validator

from controlplane.verbs.documents import Document
from controlplane.verbs.schema import document_schema
from controlplane.verbs.writing import to_json
from tests.unit.verbs.strategies import documents

SCHEMA = Draft202012Validator(document_schema())


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(document_schema())


@given(documents)
def test_every_document_that_is_written_fits_the_schema(document: Document) -> None:
    assert list(SCHEMA.iter_errors(json.loads(to_json(document)))) == []


@pytest.mark.parametrize(
    "document",
    [
        [{"say": "Hello"}, {"play": "/a.wav"}, {"redirect": ""}],
        [{"dial": {"targets": ["+15550001111", {"sip": "sip:a@b.example"}], "action": "/done"}}],
        [{"later": {}}, {"say": {"text": "Hello", "mood": "good"}}],
        {"verbs": []},
    ],
)
def test_short_forms_and_keys_of_later_releases_fit_too(document: Any) -> None:
    assert list(SCHEMA.iter_errors(document)) == []


@pytest.mark.parametrize(
    "document",
    [
        "say",
        {},
        [{}],
        [{"say": "a", "play": "b"}],
        [{"gather": {"timeout_s": "5"}}],
        [{"gather": {"timeout_s": 0}}],
        [{"gather": {"prompts": [{"say": {"loop": 1001}}]}}],
        [{"gather": {"finish_key": "##"}}],
        [{"record": {"callback": {"events": ["done"]}}}],
        [{"dial": {"record": True}}],
        [{"dial": {"action": 5}}],
        [{"pause": {}}] * 1001,
    ],
)
def test_wrong_types_and_values_do_not_fit(document: Any) -> None:
    assert not SCHEMA.is_valid(document)


def test_defaults_and_limits_are_told() -> None:
    gather = document_schema()["$defs"]["gather"]["properties"]

    assert gather["timeout_s"] == {"type": "integer", "minimum": 1, "maximum": 14_400, "default": 5}
    assert gather["finish_key"] == {"type": "string", "pattern": "^(?:[0-9*#]?)$", "default": "#"}
    assert gather["inputs"]["default"] == ["dtmf"]
    assert "default" not in gather["num_digits"]
