"""response_format: the schema is checked before the engine sees it, the output after.

Both are needed. The engine ignores a grammar that it cannot build without a word, and then answers in prose; and an
answer cut at its token limit is not the document that was asked for.
"""

import json
from typing import Annotated, Any, Literal

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, ValidationError
from pydantic import Field
from referencing import Registry
from referencing.exceptions import Unresolvable

from soma_slm.field_errors import Strict
from soma_slm.openai_errors import ApiError
from soma_slm.schema_keywords import check_keywords

ANY_OBJECT: dict[str, Any] = {"type": "object"}


class TextFormat(Strict):
    """Plain text, the default."""

    type: Literal["text"]


class JsonObjectFormat(Strict):
    """Any JSON object."""

    type: Literal["json_object"]


class JsonSchema(Strict):
    """A schema with the name that OpenAI clients send along."""

    name: Annotated[str, Field(max_length=64)] | None = None
    description: Annotated[str, Field(max_length=1024)] | None = None
    strict: bool | None = None
    # `schema` is a method of the base class, hence the alias.
    definition: Annotated[dict[str, Any], Field(alias="schema")]


class JsonSchemaFormat(Strict):
    """A document of this schema."""

    type: Literal["json_schema"]
    json_schema: JsonSchema


ResponseFormat = TextFormat | JsonObjectFormat | JsonSchemaFormat


def output_schema(wanted: ResponseFormat | None) -> dict[str, Any] | None:
    """Return the checked schema that the output must meet, None for free text; raise a 400 for a bad one."""
    if wanted is None or isinstance(wanted, TextFormat):
        return None
    if isinstance(wanted, JsonObjectFormat):
        return ANY_OBJECT
    schema = wanted.json_schema.definition
    check_keywords(schema)
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        place = "/".join(str(part) for part in error.absolute_path)[:200]
        field = "response_format.json_schema.schema"
        raise ApiError(400, "invalid_schema", f"{field}: not a valid JSON Schema at /{place}", param=field) from None
    return schema


def engine_grammar(wanted: ResponseFormat | None) -> str | None:
    """Return the grammar for the engine, None for free text.

    Compact JSON is forced: small models loop on free white space. The engine reads `x-guidance` only here, not when
    the schema comes as response_format.
    """
    schema = output_schema(wanted)
    if schema is None:
        return None
    return "%llguidance {}\nstart: %json " + json.dumps({**schema, "x-guidance": {"whitespace_flexible": False}})


def check_output(schema: dict[str, Any], text: str, finish_reason: str | None, usage: dict[str, Any]) -> None:
    """Raise unless the text is a document of the schema. The error carries the tokens that were spent.

    Takes up to seconds for a hostile schema: run it in a thread, not on the event loop.
    """
    if finish_reason == "length":
        message = "the document was cut at the token limit: raise max_tokens or bound the schema"
        raise ApiError(422, "structured_output_truncated", message, usage=usage)
    try:
        # An empty registry of our own: a reference is never fetched from a network.
        Draft202012Validator(schema, registry=Registry()).validate(json.loads(text))
    except (ValueError, ValidationError, Unresolvable, RecursionError):
        message = "the model's answer does not meet the schema"
        raise ApiError(500, "structured_output_invalid", message, usage=usage) from None
