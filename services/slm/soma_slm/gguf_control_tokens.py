"""Reading from a GGUF file which texts its chat template uses as control tokens.

The engine tokenizes the filled template with control tokens switched on, so a message that holds one of these texts
would end its own turn and could speak as another role. Such messages are refused (see chat_request).
Format: the GGUF specification in the ggml repository, docs/gguf.md.
"""

import struct
from pathlib import Path
from typing import Any, BinaryIO

# Type codes of GGUF metadata values; 8 is a string, 9 an array.
SCALARS = {
    0: "<B",
    1: "<b",
    2: "<H",
    3: "<h",
    4: "<I",
    5: "<i",
    6: "<f",
    7: "<?",
    10: "<Q",
    11: "<q",
    12: "<d",
}
STRING, ARRAY = 8, 9
CONTROL = 3  # token type LLAMA_TOKEN_TYPE_CONTROL


def read_control_tokens(path: str) -> frozenset[str]:
    """Return the control tokens that the chat template names, and all of the form <|…|>."""
    with Path(path).open("rb") as file:
        metadata = _read_metadata(file)
    tokens = metadata.get("tokenizer.ggml.tokens", [])
    types = metadata.get("tokenizer.ggml.token_type", [])
    template = metadata.get("tokenizer.chat_template", "")
    control = {token for token, kind in zip(tokens, types, strict=False) if kind == CONTROL and token}
    return frozenset(
        token for token in control if token in template or (token.startswith("<|") and token.endswith("|>"))
    )


def _read_metadata(file: BinaryIO) -> dict[str, Any]:
    file.seek(len(b"GGUF") + 4 + 8)  # magic, version, number of tensors
    (pairs,) = struct.unpack("<Q", file.read(8))
    metadata: dict[str, Any] = {}
    for _ in range(pairs):
        key = _read_string(file)
        (kind,) = struct.unpack("<I", file.read(4))
        metadata[key] = _read_value(file, kind)
    return metadata


def _read_string(file: BinaryIO) -> str:
    (length,) = struct.unpack("<Q", file.read(8))
    return file.read(length).decode("utf-8", errors="replace")


def _read_value(file: BinaryIO, kind: int) -> Any:  # noqa: ANN401 - the file says what it is
    if kind == STRING:
        return _read_string(file)
    if kind == ARRAY:
        item_kind, length = struct.unpack("<IQ", file.read(12))
        if item_kind in SCALARS:
            scalar = SCALARS[item_kind][1]
            return struct.unpack(f"<{length}{scalar}", file.read(length * struct.calcsize("<" + scalar)))
        return [_read_value(file, item_kind) for _ in range(length)]
    form = SCALARS[kind]
    return struct.unpack(form, file.read(struct.calcsize(form)))[0]
