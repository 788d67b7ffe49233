"""Which JSON Schema keywords are accepted. The engine ignores the whole grammar over one that it does not know.

The list is what xllamacpp 2026.10.11549 was seen to enforce, keyword by keyword. `pattern` is left out although the
engine has it: checking the output would run a caller's regular expression in Python, where it can hang the service.
"""

from typing import Any

from soma_slm.openai_errors import ApiError

FIELD = "response_format.json_schema.schema"
MAX_DEPTH = 16
MAX_NODES = 2000

NOTES = {"$schema", "$comment", "title", "description", "default", "examples", "deprecated", "readOnly", "writeOnly"}
VALUES = {
    "type", "enum", "const", "required", "format", "minLength", "maxLength", "minimum", "maximum",
    "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minItems", "maxItems", "minProperties", "maxProperties",
}  # fmt: skip
SCHEMAS = {"items", "additionalProperties"}
SCHEMA_LISTS = {"anyOf", "oneOf", "allOf", "prefixItems"}
SCHEMA_MAPS = {"properties", "$defs", "definitions"}
FORMATS = {"date", "time", "date-time", "email", "hostname", "ipv4", "ipv6", "uuid"}


def check_keywords(schema: dict[str, Any]) -> None:
    """Raise a 400 that names the first keyword outside the list, a far reference, or a schema too large."""
    nodes = 0
    open_nodes: list[tuple[Any, int]] = [(schema, 1)]
    while open_nodes:
        node, depth = open_nodes.pop()
        nodes += 1
        if depth > MAX_DEPTH or nodes > MAX_NODES:
            raise _refusal(f"deeper than {MAX_DEPTH} levels or larger than {MAX_NODES} schemas")
        if isinstance(node, dict):
            open_nodes.extend((child, depth + 1) for child in _children(node))


def _children(node: dict[str, Any]) -> list[Any]:
    """Return the schemas directly inside this one; wrong shapes are left to the schema's own check."""
    children: list[Any] = []
    for keyword, value in node.items():
        if keyword in NOTES or keyword in VALUES:
            if keyword == "format" and value not in FORMATS:
                raise _refusal(f"format must be one of {', '.join(sorted(FORMATS))}")
        elif keyword == "$ref":
            if not (isinstance(value, str) and value.startswith("#/")):
                raise _refusal("$ref must point into this schema (#/…)")
        elif keyword in SCHEMAS:
            children.append(value)
        elif keyword in SCHEMA_LISTS and isinstance(value, list):
            children.extend(value)
        elif keyword in SCHEMA_MAPS and isinstance(value, dict):
            children.extend(value.values())
        else:
            raise _refusal(f"keyword {keyword[:40]!r} is not supported")
    return children


def _refusal(reason: str) -> ApiError:
    return ApiError(400, "unsupported_schema", f"{FIELD}: {reason}", param=FIELD)
