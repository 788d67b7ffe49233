"""Structured output: which schemas pass, and which outputs."""

import time
import unittest
from typing import Any

from soma_slm.openai_errors import ApiError
from soma_slm.structured_output import JsonSchemaFormat, check_output, engine_grammar, output_schema

USAGE = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
PERSON = {
    "type": "object",
    "properties": {"name": {"type": "string", "maxLength": 20}, "pattern": {"$ref": "#/$defs/kind"}},
    "required": ["name", "pattern"],
    "additionalProperties": False,
    "$defs": {"kind": {"enum": ["a", "b"]}},
}


def wanted(schema: Any) -> JsonSchemaFormat:  # noqa: ANN401
    return JsonSchemaFormat.model_validate({"type": "json_schema", "json_schema": {"name": "x", "schema": schema}})


def doubling(levels: int) -> dict[str, Any]:
    definitions: dict[str, Any] = {"d0": {"type": "integer"}}
    for level in range(1, levels):
        reference = {"$ref": f"#/$defs/d{level - 1}"}
        definitions[f"d{level}"] = {"anyOf": [reference, reference]}
    return {"$ref": f"#/$defs/d{levels - 1}", "$defs": definitions}


class SchemaTest(unittest.TestCase):
    def test_accepted_schema_becomes_a_compact_grammar(self) -> None:
        grammar = engine_grammar(wanted(PERSON))
        self.assertIsNotNone(grammar)
        self.assertTrue(str(grammar).startswith("%llguidance {}\nstart: %json {"))
        self.assertIn('"whitespace_flexible": false', str(grammar))

    def test_free_text_has_no_grammar(self) -> None:
        self.assertIsNone(engine_grammar(None))

    def test_refused_schemas(self) -> None:
        refused: list[dict[str, Any]] = [
            {"type": "nonsense"},
            {"type": "string", "pattern": "(a+)+$"},
            {"type": "object", "patternProperties": {"a": {}}},
            {"not": {"type": "integer"}},
            {"type": "array", "uniqueItems": True},
            {"type": "string", "format": "odd"},
            {"type": "object", "properties": {"a": {"type": "string", "x-guidance": {}}}},
            {"$ref": "http://127.0.0.1:1/schema.json"},
            {"$ref": "#"},
            {"$ref": "#/$defs/missing", "$defs": {}},
            {"$ref": "#/default", "default": {"pattern": "(a+)+$"}},
            {"$ref": "#/$defs/t", "$defs": {"t": {"type": "array", "items": {"$ref": "#/$defs/t"}}}},
            {"required": "name"},
            doubling(15),
        ]
        for schema in refused:
            with self.subTest(schema=str(schema)[:80]), self.assertRaises(ApiError) as caught:
                output_schema(wanted(schema))
            self.assertEqual(caught.exception.status, 400)
            self.assertEqual(caught.exception.param, "response_format.json_schema.schema")

    def test_a_doubling_schema_is_refused_at_once(self) -> None:
        began = time.monotonic()
        with self.assertRaises(ApiError):
            output_schema(wanted(doubling(1000)))
        self.assertLess(time.monotonic() - began, 1)


class OutputTest(unittest.TestCase):
    def test_valid_document(self) -> None:
        check_output(PERSON, '{"name":"Ada","pattern":"a"}', "stop", USAGE)

    def test_invalid_documents_carry_the_usage(self) -> None:
        for text in ("", "prose", '{"name":"Ada"}', '{"name":"Ada","pattern":"c"}', '{"name":1,"pattern":"a"}'):
            with self.subTest(text=text), self.assertRaises(ApiError) as caught:
                check_output(PERSON, text, "stop", USAGE)
            self.assertEqual((caught.exception.status, caught.exception.code), (500, "structured_output_invalid"))
            self.assertEqual(caught.exception.body()["usage"], USAGE)
            if text:
                self.assertNotIn(text, str(caught.exception.body()))

    def test_a_cut_document_says_so(self) -> None:
        with self.assertRaises(ApiError) as caught:
            check_output(PERSON, '{"name":"A', "length", USAGE)
        self.assertEqual((caught.exception.status, caught.exception.code), (422, "structured_output_truncated"))


if __name__ == "__main__":
    unittest.main()
