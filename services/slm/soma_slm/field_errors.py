"""Turning a schema's complaints into one 400 that names the field and repeats nothing of the body."""

import re
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from soma_slm.openai_errors import ApiError, bad_request

# Fields of the OpenAI API that this service knows of and does not do; silence would be a lie.
KNOWN_UNSUPPORTED = {
    "tools": "this model has no tool template: use response_format with a json_schema",
    "tool_choice": "this model has no tool template: use response_format with a json_schema",
    "functions": "this model has no tool template: use response_format with a json_schema",
    "function_call": "this model has no tool template: use response_format with a json_schema",
    "logprobs": "log probabilities are not served",
    "dimensions": "the embedding model has one size",
}


class Strict(BaseModel):
    """Base of all request schemas: exact types, no unknown field, no infinite number."""

    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False, hide_input_in_errors=True)


Schema = TypeVar("Schema", bound=Strict)

# Steps that the parser puts into a location for its own types; they are not fields of the body.
TYPE_STEP = re.compile(r"str|list\[.*|constrained-.*|function-.*")


def parse_strict(schema: type[Schema], body: bytes) -> Schema:
    """Return the body as the schema's object, or raise a 400 for its first bad field."""
    try:
        return schema.model_validate_json(body)
    except ValidationError as error:
        raise _first_field_error(error) from None


def _first_field_error(error: ValidationError) -> ApiError:
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    if first["type"] == "json_invalid":
        return bad_request("invalid_json", "the body is not JSON")
    path = _path(first["loc"])
    if first["type"] == "extra_forbidden":
        reason = KNOWN_UNSUPPORTED.get(path, "this field is not supported")
        return bad_request("unsupported_field", f"{path}: {reason}", path)
    return bad_request("invalid_field", f"{path or 'body'}: {first['msg']}", path or None)


def _path(location: tuple[int | str, ...]) -> str:
    """Return the caller's view of a location: messages.0.content."""
    steps = list(location)
    if len(steps) > 1 and steps[0] == "response_format":
        del steps[1]  # the value of `type`, which chose the variant
    return ".".join(str(step) for step in steps if not TYPE_STEP.fullmatch(str(step)))[:200]
