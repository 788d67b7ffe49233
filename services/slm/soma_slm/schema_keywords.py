"""Which JSON Schema keywords are accepted. The engine ignores the whole grammar over one that it does not know.

The list is what xllamacpp 2026.10.11549 was seen to enforce, keyword by keyword. `pattern` is left out although the
engine has it: checking the output would run a caller's regular expression in Python, where it can hang the service.
"""

import re
from typing import Any

from soma_slm.openai_errors import ApiError

FIELD = "response_format.json_schema.schema"
DEFINITION = re.compile(r"#/(\$defs|definitions)/([A-Za-z0-9_.-]+)")
MAX_DEPTH = 16
MAX_NODES = 1000

NOTES = {
    "$schema",
    "$comment",
    "title",
    "description",
    "default",
    "examples",
    "deprecated",
    "readOnly",
    "writeOnly",
}
VALUES = {
    "type", "enum", "const", "required", "minLength", "maxLength", "minimum", "maximum",
    "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minItems", "maxItems", "minProperties", "maxProperties",
}  # fmt: skip
SCHEMAS = {"items", "additionalProperties"}
SCHEMA_LISTS = {"anyOf", "oneOf", "allOf", "prefixItems"}
SCHEMA_MAPS = {"properties", "$defs", "definitions"}
FORMATS = {"date", "time", "date-time", "email", "hostname", "ipv4", "ipv6", "uuid"}


def check_keywords(schema: dict[str, Any]) -> None:
    """Raise a 400 that names the first keyword outside the list, a far reference, or a schema too large.

    References are followed as if their target stood in their place. So a recursive schema is too deep, and one that
    doubles with each reference too large: the output's check costs at most MAX_NODES per value of the output.
    """
    nodes = 0
    open_nodes: list[tuple[Any, int]] = [(schema, 1)]
    while open_nodes:
        node, depth = open_nodes.pop()
        nodes += 1
        if depth > MAX_DEPTH or nodes > MAX_NODES:
            raise _refusal(f"recursive, deeper than {MAX_DEPTH} levels or larger than {MAX_NODES} schemas")
        if isinstance(node, dict):
            open_nodes.extend((child, depth + 1) for child in _children(node, schema))


def _children(node: dict[str, Any], root: dict[str, Any]) -> list[Any]:
    """Return the schemas directly inside this one; wrong shapes are left to the schema's own check."""
    children: list[Any] = []
    for keyword, value in node.items():
        if keyword == "format":
            if value not in FORMATS:
                raise _refusal(f"format must be one of {', '.join(sorted(FORMATS))}")
        elif keyword in NOTES or keyword in VALUES:
            continue
        elif keyword == "$ref":
            children.append(_target(value, root))
        elif keyword in SCHEMAS:
            children.append(value)
        elif keyword in SCHEMA_LISTS and isinstance(value, list):
            children.extend(value)
        elif keyword in SCHEMA_MAPS and isinstance(value, dict):
            children.extend(value.values())
        else:
            raise _refusal(f"keyword {keyword[:40]!r} is not supported")
    return children


def _target(reference: Any, root: dict[str, Any]) -> Any:  # noqa: ANN401 - a JSON value
    """Return the referenced schema. Only the root's definitions: what stands elsewhere may not be a schema at all."""
    match = DEFINITION.fullmatch(reference) if isinstance(reference, str) else None
    definitions = root.get(match.group(1)) if match else None
    if not match or not isinstance(definitions, dict) or match.group(2) not in definitions:
        raise _refusal("$ref must be #/$defs/<name> of a definition that is there")
    return definitions[match.group(2)]


def _refusal(reason: str) -> ApiError:
    return ApiError(400, "unsupported_schema", f"{FIELD}: {reason}", param=FIELD)
